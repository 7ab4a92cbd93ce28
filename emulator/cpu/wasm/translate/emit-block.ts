/** The instructions of a block as WebAssembly; how control leaves it is the region's business. */
import { cell, type Expr, type Stmt } from '../../../isa/ir.ts';
import type { Step, StepCosts } from '../block.ts';
import { DIVIDE_CYCLES_MAX } from '../../../timing/cortex-m4.ts';
import { emitDivideCycles } from './emit-divide.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { emitDouble } from './emit-double.ts';
import { emitFloatingPoint } from './emit-float.ts';
import { MemoryEmitter } from './emit-memory.ts';
import type { TimingEmitter } from './emit-timing.ts';
import type { PlacedAccesses } from './slaves.ts';
import { afterStep, isConditional, meet } from './flag-state.ts';
import { INSTRUCTION_BITS, local } from './locals.ts';
import type { CodeSource, Node } from './region.ts';

/** What a block needs of the region around it. */
export interface WaysOut {
  /** In front of the current instruction, nothing of which has taken effect. */
  bail(): void;
  /** Control goes elsewhere; the counters are complete. */
  branch(target: Expr, interworks: boolean, step: Step): void;
}

export class BlockEmitter {
  readonly memory: MemoryEmitter;
  private readonly x: ExpressionEmitter;
  private readonly out: WaysOut;
  private readonly fpuEnabled: boolean;
  private readonly source: CodeSource;
  /** Cycles and instructions of the current block so far, not yet in the counters. */
  cycles = 0;
  instructions = 0;
  step: Step | null = null;
  /** Of the pipeline before `step`, or behind the last one. */
  state = 0;
  private accesses: PlacedAccesses | null = null;
  private readonly timing: TimingEmitter | null;

  /** @param timing null: all memories are zero-wait */
  constructor(
    x: ExpressionEmitter,
    source: CodeSource,
    timing: TimingEmitter | null,
    fpuEnabled: boolean,
    out: WaysOut,
  ) {
    this.x = x;
    this.source = source;
    this.out = out;
    this.fpuEnabled = fpuEnabled;
    this.timing = timing;
    this.memory = new MemoryEmitter(x, source.parts, timing, () => {
      out.bail();
    });
  }

  /** False if an instruction is left to the interpreter: control does not reach the end. */
  emit({ block, state, accesses }: Node): boolean {
    this.cycles = 0;
    this.instructions = 0;
    this.state = state;
    this.accesses = accesses;
    this.memory.block(accesses);
    this.timing?.startBlock(block, state);
    this.x.vectors.startBlock();
    for (const step of block.steps) {
      this.step = step;
      this.memory.cyclesBefore = this.cycles;
      const isTimed = this.timing?.instruction(step, this.cycles) ?? true;
      if (!isTimed || needsInterpreter(step, this.fpuEnabled) || (this.timing !== null && isExclusive(step))) {
        this.timing?.settle();
        this.out.bail();
        return false;
      }
      this.instruction(step);
      this.state = this.costs(step).sequential.next;
      this.x.flags.endOfInstruction();
    }
    return true;
  }

  /** Adds to both counters. */
  count(cycles: number, instructions: number): void {
    const { w } = this.x;
    w.get(local.counters);
    w.wide(cycles * 2 ** INSTRUCTION_BITS + instructions);
    w.op('i64.add');
    w.set(local.counters);
  }

  /** Of the current instruction. */
  costs(step: Step): StepCosts {
    return this.source.costsIn(this.state, step, this.accesses?.bySteps.get(step) ?? 0);
  }

  private instruction(step: Step): void {
    const { w, x } = this;
    const { instruction } = step;
    const { sequential, skipped } = this.costs(step);
    if (!isConditional(step)) {
      this.body(step);
      this.cycles += sequential.cycles;
      this.instructions++;
      return;
    }
    const before = x.flags.state;
    const joined = meet(before, afterStep(step, before));
    x.adapt(joined);
    x.condition(instruction.condition!);
    w.open('if');
    x.vectors.setConditional(true);
    this.body(step);
    x.vectors.setConditional(false);
    x.adapt(joined);
    const besides = sequential.cycles - skipped.cycles;
    if (besides !== 0) {
      this.count(besides, 0);
      if (instruction.divide === null) this.timing?.besides(this.cycles + skipped.cycles, besides);
    }
    this.cycles += skipped.cycles;
    w.end();
    x.flags.state = joined;
    this.instructions++;
  }

  private get w(): ExpressionEmitter['w'] {
    return this.x.w;
  }

  private body(step: Step): void {
    if (step.instruction.divide !== null) this.divideCycles(step, step.instruction.divide);
    for (const statement of step.body ?? []) this.statement(statement, step);
  }

  private divideCycles(step: Step, divide: NonNullable<Step['instruction']['divide']>): void {
    this.timing?.settle();
    emitDivideCycles(divide, this.w);
    const { sequential, skipped } = this.costs(step);
    const known = isConditional(step) ? skipped.cycles : sequential.cycles;
    this.timing?.passWith(this.cycles + known, DIVIDE_CYCLES_MAX, sequential.cycles - known);
  }

  private statement(statement: Stmt, step: Step): void {
    const { w, x } = this;
    switch (statement.k) {
      case 'set':
        x.assign(statement.cell, this.unmasked(statement));
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
      case 'when':
        this.timing?.settle();
        x.expression(statement.condition);
        w.open('if');
        for (const inner of statement.then) this.statement(inner, step);
        this.timing?.settle();
        w.end();
        break;
      case 'branch':
      case 'interwork':
        this.out.branch(statement.target, statement.k === 'interwork', step);
        break;
      case 'fp':
        emitFloatingPoint(statement, x);
        break;
      case 'fpDouble':
        emitDouble(statement, x);
        break;
      case 'system':
        break; // left to the interpreter
    }
  }

  /** The stack pointer stays a multiple of 4 without help where only multiples of 4 are added. */
  private unmasked(statement: Extract<Stmt, { k: 'set' }>): Expr {
    const { value } = statement;
    if (statement.cell !== cell.sp || value.k !== 'op2' || value.op !== 'i32.and') return value;
    return this.accesses?.plan.alignedStack.has(statement) === true ? value.a : value;
  }
}

/** Whether the access is made, and so its time, is known at run time only. */
const isExclusive = ({ instruction }: Step): boolean => instruction.timing === 'exclusive';

function needsInterpreter(step: Step, fpuEnabled: boolean): boolean {
  if (step.stops || step.body === null || (step.isFpu && !fpuEnabled)) return true;
  // LDRT and the like are asked for by a memory protection unit that leaves everything open to the core itself.
  return step.body.some(
    (statement) => statement.k === 'system' || ('asUser' in statement && statement.asUser === true),
  );
}
