/**
 * One WebAssembly function for a region. Blocks lie in address order inside nested labels: a forward branch is one `br`, a block that
 * loops to itself is a loop of its own, other backward and indirect branches go through one br_table, which also checks the budget.
 * Every way out names a site; what the site says is added outside, so that the way out itself costs two instructions.
 */
import { instructionCost, SEQUENTIAL } from '../../../timing/instruction-cost.ts';
import { cell, type Expr, type Stmt } from '../../../isa/ir.ts';
import type { Instruction } from '../../../timing/instruction.ts';
import type { Block, Step } from '../block.ts';
import type { Region } from '../guest-memory.ts';
import { emitDivideCycles } from './emit-divide.ts';
import { emitTableLookup, type EntryTable } from './entry-table.ts';
import { ExpressionEmitter } from './emit-expression.ts';
import { emitFloatingPoint } from './emit-float.ts';
import { MemoryEmitter } from './emit-memory.ts';
import { COUNTERS_OFFSET, I32_LOCALS, local, localOfCell } from './locals.ts';
import { lastStep, type RegionPlan, type Site } from './region.ts';
import { F32, F64, I32, I64, wasmModule, WasmWriter } from './wasm-writer.ts';
import { cellsOf } from './used-cells.ts';

export interface EmittedRegion {
  readonly module: Uint8Array;
  readonly sites: readonly Site[];
}

export class RegionEmitter {
  private readonly w = new WasmWriter();
  private readonly x = new ExpressionEmitter(this.w);
  private readonly memory: MemoryEmitter;
  private readonly plan: RegionPlan;
  private readonly table: EntryTable;
  private readonly fpuEnabled: boolean;
  private readonly sites: Site[] = [];
  /** Depths at which the exit, the dispatching loop and the blocks' labels were opened. */
  private exitDepth = 0;
  private loopDepth = 0;
  private labelDepths: number[] = [];
  private selfLoopDepth = -1;
  private index = 0;
  /** Cycles and instructions of the current block so far, not yet in the counters. */
  private cycles = 0;
  private instructions = 0;
  private step: Step | null = null;
  private previous: Instruction | null = null;

  constructor(plan: RegionPlan, regions: readonly Region[], table: EntryTable, fpuEnabled: boolean) {
    this.plan = plan;
    this.table = table;
    this.fpuEnabled = fpuEnabled;
    this.memory = new MemoryEmitter(this.x, regions, () => {
      this.bail();
    });
  }

  emit(): EmittedRegion {
    const { w, plan } = this;
    const used = cellsOf(plan.blocks);
    for (const block of plan.blocks) this.site({ pc: block.start });
    for (const number of used.all) {
      w.const(0);
      w.memory('i32.load', number * 4);
      w.set(localOfCell(number));
    }
    this.exitDepth = w.depth;
    w.open('block');
    this.loopDepth = w.depth;
    w.open('loop');
    this.budgetCheck();
    const count = plan.blocks.length;
    this.labelDepths = new Array<number>(count).fill(0);
    for (let index = count - 1; index >= 0; index--) {
      this.labelDepths[index] = w.depth;
      w.open('block');
    }
    w.get(local.entry);
    w.brTable(
      Array.from({ length: count - 1 }, (_, index) => index),
      count - 1,
    );
    for (const [index, block] of plan.blocks.entries()) {
      w.end();
      this.index = index;
      this.block(block);
    }
    w.end();
    w.end();
    this.spill(used.written);
    w.get(local.site);
    w.op('end');
    const locals = [
      { count: I32_LOCALS, type: I32 },
      { count: 1, type: I64 },
      { count: 1, type: F32 },
      { count: 1, type: F64 },
    ];
    return { module: wasmModule(w.bytes, locals), sites: this.sites };
  }

  private spill(written: readonly number[]): void {
    const { w, x } = this;
    for (const number of written) {
      w.const(0);
      if (number === cell.carry) x.carry(null);
      else if (number === cell.overflow) x.overflow(null);
      else w.get(localOfCell(number));
      w.memory('i32.store', number * 4);
    }
    w.const(0);
    w.get(local.counters);
    w.memory('i64.store', COUNTERS_OFFSET);
  }

  private site(site: Partial<Site> & { readonly pc: number | null }): number {
    const full = { interworks: false, bails: false, cycles: 0, instructions: 0, previous: null, itState: 0, ...site };
    return this.sites.push(full) - 1;
  }

  private leave(site: Partial<Site> & { readonly pc: number | null }): void {
    this.w.const(this.site(site));
    this.w.set(local.site);
    this.w.br(this.exitDepth);
  }

  /** In front of the current instruction, nothing of which has taken effect. */
  private bail(): void {
    const { step, cycles, instructions, previous } = this;
    this.leave({ pc: step!.instruction.address, bails: true, cycles, instructions, previous, itState: step!.itState });
  }

  /** Leaves for the block in `entry` when the cycles are used up; its site has its index. */
  private budgetCheck(): void {
    const { w } = this;
    w.get(local.counters);
    w.op('i32.wrap_i64');
    w.get(local.budget);
    w.op('i32.ge_u');
    w.open('if');
    w.get(local.entry);
    w.set(local.site);
    w.br(this.exitDepth);
    w.end();
  }

  private count(cycles: number, instructions: number): void {
    const { w } = this;
    w.get(local.counters);
    w.const64(instructions, cycles);
    w.op('i64.add');
    w.set(local.counters);
  }

  private block(block: Block): void {
    const { w, x } = this;
    x.flags = { carry: null, overflow: null, comparison: false };
    this.cycles = 0;
    this.instructions = 0;
    this.previous = null;
    const loops = lastStep(block).instruction.target === block.start;
    this.selfLoopDepth = loops ? w.depth : -1;
    if (loops) w.open('loop');
    for (const step of block.steps) {
      this.step = step;
      if (step.stops || (step.isFpu && !this.fpuEnabled) || this.needsInterpreter(step)) {
        this.bail();
        break;
      }
      this.instruction(step);
      this.previous = step.instruction;
    }
    this.afterLast(block);
    if (loops) w.end();
  }

  private needsInterpreter(step: Step): boolean {
    return step.body === null || step.body.some((statement) => statement.k === 'system');
  }

  private instruction(step: Step): void {
    const { w, x } = this;
    const { sequentialCycles, skippedCycles, instruction, body } = step;
    const { condition } = instruction;
    const isConditional = condition !== null && condition < 14;
    if (isConditional) {
      x.condition(condition);
      w.open('if');
      const before = { ...x.flags };
      this.body(body!, step);
      if (instruction.divide !== null) {
        w.else();
        this.count(skippedCycles, 0);
      } else {
        if (sequentialCycles !== skippedCycles) this.count(sequentialCycles - skippedCycles, 0);
        this.cycles += skippedCycles;
      }
      w.end();
      x.forgetChangedFlags(before);
    } else {
      this.body(body!, step);
      if (instruction.divide === null) this.cycles += sequentialCycles;
    }
    this.instructions++;
  }

  private body(list: readonly Stmt[], step: Step): void {
    if (step.instruction.divide !== null) emitDivideCycles(step.instruction.divide, this.w);
    for (const statement of list) this.statement(statement, step);
  }

  private statement(statement: Stmt, step: Step): void {
    const { w, x } = this;
    switch (statement.k) {
      case 'set':
        x.assign(statement.cell, statement.value);
        break;
      case 'load':
        this.memory.load(statement);
        break;
      case 'store':
        this.memory.store(statement);
        break;
      case 'carryOverflow':
        x.carryOverflow(statement.subtraction);
        break;
      case 'when': {
        x.expression(statement.condition);
        w.open('if');
        for (const inner of statement.then) this.statement(inner, step);
        w.end();
        break;
      }
      case 'branch':
      case 'interwork':
        this.branch(statement.target, statement.k === 'interwork', step);
        break;
      case 'fp':
        emitFloatingPoint(statement, x);
        break;
      case 'system':
        break; // left to the interpreter
    }
  }

  /** Control leaves the sequence here; the code after it is for when a condition did not hold. */
  private branch(target: Expr, interworks: boolean, step: Step): void {
    const { next, takenCycles, sequentialCycles } = step;
    if (target.k === 'const') {
      const address = (target.value & ~1) >>> 0;
      this.count(this.cycles + (address === next ? sequentialCycles : takenCycles), this.instructions + 1);
      this.goTo(address);
      return;
    }
    this.x.expression(target);
    this.w.set(localOfCell(cell.target));
    this.count(this.cycles + takenCycles, this.instructions + 1);
    this.indirect(interworks);
  }

  /** The counters are complete. */
  private goTo(address: number): void {
    const { w, plan } = this;
    const to = plan.indexOf.get(address);
    if (to === undefined) {
      this.leave({ pc: address });
      return;
    }
    if (to > this.index) {
      w.br(this.labelDepths[to]!);
      return;
    }
    w.const(to);
    w.set(local.entry);
    if (to === this.index && this.selfLoopDepth >= 0) {
      this.budgetCheck();
      w.br(this.selfLoopDepth);
    } else w.br(this.loopDepth);
  }

  private indirect(interworks: boolean): void {
    const { w, table } = this;
    const target = localOfCell(cell.target);
    if (interworks) {
      w.get(target);
      w.const(1);
      w.op('i32.and');
      w.open('if');
    }
    emitTableLookup(table, w, this.loopDepth);
    if (interworks) w.end();
    this.leave({ pc: null, interworks });
  }

  /** Control reaches the end of a block. */
  private afterLast(block: Block): void {
    const { instruction, stops } = lastStep(block);
    if (stops || (instruction.branch === 'always' && this.step === lastStep(block))) {
      this.w.bytes.push(0x00); // unreachable: control has left
      return;
    }
    const to = block.itState === 0 ? this.plan.indexOf.get(block.end) : undefined;
    if (to === undefined) {
      const { cycles, instructions } = this;
      this.leave({ pc: block.end, cycles, instructions, previous: instruction, itState: block.itState });
      return;
    }
    const first = this.plan.blocks[to]!.steps[0]!.instruction;
    const carried =
      first.divide === null
        ? instructionCost(first, instruction, SEQUENTIAL) - instructionCost(first, null, SEQUENTIAL)
        : 0;
    this.count(this.cycles + carried, this.instructions);
    this.goTo(block.end);
  }
}
