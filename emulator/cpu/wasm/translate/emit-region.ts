/**
 * One WebAssembly function for a region. Blocks lie inside nested labels in an order in which only the back edges of loops lead backward;
 * loops are WebAssembly's own and look at the budget on every back edge. A loop that is entered at several nodes begins with a br_table.
 * Every way out names a site; what the site says is added outside, so that the way out itself costs two instructions.
 */
import { cell, type Expr } from '../../../isa/ir.ts';
import type { Step } from '../block.ts';
import { REFILLED } from '../../../timing/pipeline.ts';
import { SINGLES, setCell } from './cell-locals.ts';
import { cyclesMost } from './cycles-bound.ts';
import { assert } from '../../../../common/errors.ts';
import { flatten, nest, type Item, type Loop } from './control-flow.ts';
import { BlockEmitter } from './emit-block.ts';
import { ExpressionEmitter } from './emit-expression.ts';
import { TimingEmitter, type TimedMemory } from './emit-timing.ts';
import { atEndOf, AT_RUN_TIME, IN_CELLS, meet, sameState, type FlagState } from './flag-state.ts';
import { COUNTERS_OFFSET, I32_LOCALS, INSTRUCTION_BITS, local, localOfCell, VECTORS } from './locals.ts';
import { lastStep, type CodeSource, type Node, type RegionPlan, type Site } from './region.ts';
import { wasmModule } from './wasm-module.ts';
import { F32, F64, I32, I64, V128, WasmWriter } from './wasm-writer.ts';
import { cellsOf } from './used-cells.ts';

export interface EmittedRegion {
  readonly module: Uint8Array;
  readonly sites: readonly Site[];
  /** More cycles than control can take without a look at the budget. */
  readonly cyclesBound: number;
}

export class RegionEmitter {
  private readonly w = new WasmWriter();
  private readonly x = new ExpressionEmitter(this.w);
  private readonly code: BlockEmitter;
  private readonly plan: RegionPlan;
  private readonly source: CodeSource;
  private readonly items: readonly Item[];
  private readonly sites: Site[] = [];
  private exitDepth = 0;
  /** Depth at which the label was opened that leads to a node. */
  private readonly labels = new Map<number, number>();
  /** Nodes a br_table leads to, with their number in it. */
  private readonly dispatched = new Map<number, number>();
  /** Heads of the loops that are open. */
  private readonly open = new Set<number>();
  private readonly flagsAt = new Map<number, FlagState>();
  private node: Node | null = null;
  private readonly timed: TimedMemory | null;
  private readonly timing: TimingEmitter | null;

  /** @param timed null: all memories are zero-wait */
  constructor(plan: RegionPlan, source: CodeSource, timed: TimedMemory | null, fpuEnabled: boolean) {
    this.plan = plan;
    this.source = source;
    this.timed = timed;
    this.timing = timed === null ? null : new TimingEmitter(this.w, timed);
    this.code = new BlockEmitter(this.x, source, this.timing, fpuEnabled, {
      bail: () => {
        this.bail();
      },
      branch: (target, interworks, step) => {
        this.branch(target, interworks, step);
      },
    });
    this.items = nest(plan.entries, (node) => this.successors(node));
    numberHeads(this.items, this.dispatched);
  }

  emit(): EmittedRegion {
    const { w, plan } = this;
    this.findFlags();
    const used = cellsOf(plan.nodes.map(({ block }) => block));
    for (const number of used.all) {
      w.const(0);
      w.memory('i32.load', number * 4);
      setCell(w, number);
    }
    w.get(local.budget);
    w.op('i64.extend_i32_u');
    w.wide(INSTRUCTION_BITS);
    w.op('i64.shl');
    w.set(local.limit);
    this.timing?.begin();
    this.exitDepth = w.depth;
    w.open('block');
    this.emitItems(this.items, plan.entries, null);
    w.end();
    this.spill(used.written);
    this.timing?.end();
    w.get(local.site);
    w.op('end');
    const locals = [
      { count: cell.s0, type: I32 },
      { count: SINGLES, type: F32 },
      { count: I32_LOCALS - cell.s0 - SINGLES, type: I32 },
      { count: 2, type: I64 },
      { count: 1, type: F32 },
      { count: 1, type: F64 },
      { count: VECTORS, type: V128 },
      { count: 1, type: I64 },
      { count: 2, type: I32 },
      { count: 1, type: V128 },
      { count: this.code.memory.groupsMax, type: I32 },
    ];
    const imports = ['memory', 'function', ...(this.timed === null ? [] : (['timing', 'lines'] as const))] as const;
    const module = wasmModule({ parameters: [I32, I32], imports, body: w.body(), locals });
    return { module, sites: this.sites, cyclesBound: this.longestPath() };
  }

  private successors(node: number): readonly number[] {
    return [...this.plan.nodes[node]!.edges.values()];
  }

  /** What is known about the flags at the start of every node, however control comes there. */
  private findFlags(): void {
    const queue = [...this.plan.entries];
    for (const entry of queue) this.flagsAt.set(entry, IN_CELLS);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      const leaving = atEndOf(this.plan.nodes[node]!.block, this.flagsAt.get(node)!);
      for (const next of this.successors(node)) {
        const before = this.flagsAt.get(next);
        const after = leaving.reduce<FlagState | undefined>((all, one) => (all ? meet(all, one) : one), before)!;
        if (before !== undefined && sameState(before, after)) continue;
        this.flagsAt.set(next, after);
        queue.push(next);
      }
    }
  }

  /** Most cycles from a look at the budget, or from the start, to the next one, or the end. */
  private longestPath(): number {
    const before = new Map<number, number>();
    const done = new Set<number>();
    let longest = 0;
    for (const node of flatten(this.items)) {
      done.add(node);
      const total = (before.get(node) ?? 0) + cyclesMost(this.plan.nodes[node]!, this.source, this.timed);
      longest = Math.max(longest, total);
      // Where memories have a time, every block begins with a look.
      if (this.timed !== null) continue;
      for (const next of this.successors(node))
        if (!done.has(next)) before.set(next, Math.max(before.get(next) ?? 0, total));
    }
    return longest;
  }

  private spill(written: readonly number[]): void {
    const { w, x } = this;
    x.flags.state = AT_RUN_TIME;
    for (const number of written) {
      w.const(0);
      x.readCell(number);
      w.memory('i32.store', number * 4);
    }
    w.const(0);
    w.get(local.counters);
    w.memory('i64.store', COUNTERS_OFFSET);
  }

  /**
   * @param starts nodes that control may begin with: the first only, or those that `entry` names
   * @param loop depth of the loop that is made of the items, whose starts are its heads; null: none
   */
  private emitItems(items: readonly Item[], starts: readonly number[], loop: number | null): void {
    const { w } = this;
    const dispatches = starts.length > 1;
    const first = dispatches ? 0 : 1;
    for (let index = items.length - 1; index >= first; index--) {
      for (const node of headsOf(items[index]!)) this.labels.set(node, w.depth);
      w.open('block');
    }
    if (dispatches) {
      const depths = starts.map((node) => w.depth - this.labels.get(node)! - 1);
      w.get(local.entry);
      w.brTable(depths.slice(0, -1), depths.at(-1)!);
    }
    // From inside a loop, its heads are reached through its start.
    if (loop !== null) for (const head of starts) this.labels.set(head, loop);
    for (const [index, item] of items.entries()) {
      if (index >= first) w.end();
      if (typeof item === 'number') this.emitNode(item);
      else this.emitLoop(item);
    }
  }

  private emitLoop({ heads, items }: Loop): void {
    const { w } = this;
    const outer = w.depth;
    w.open('loop');
    for (const head of heads) this.open.add(head);
    this.emitItems(items, heads, outer);
    for (const head of heads) this.open.delete(head);
    w.end();
  }

  private emitNode(index: number): void {
    const { x, code } = this;
    const node = this.plan.nodes[index]!;
    this.node = node;
    x.flags.state = this.flagsAt.get(index)!;
    x.flags.endOfInstruction();
    // How long the blocks before it took is not known where memories have a time.
    if (this.timing !== null) this.lookAtBudget(node.block.start, node.state);
    if (code.emit(node)) this.afterLast(node);
  }

  private site(site: Partial<Site> & { readonly pc: number | null }): number {
    const full = {
      interworks: false,
      bails: false,
      cycles: 0,
      instructions: 0,
      state: REFILLED,
      itState: 0,
      timing: null,
      ...site,
    };
    return this.sites.push(full) - 1;
  }

  private leave(site: Partial<Site> & { readonly pc: number | null }): void {
    this.x.adapt(AT_RUN_TIME);
    this.w.const(this.site(site));
    this.w.set(local.site);
    this.w.br(this.exitDepth);
  }

  private bail(): void {
    const { step, cycles, instructions, state } = this.code;
    assert(step !== null, 'a block has instructions');
    const timing = this.timing?.siteBefore(cycles) ?? null;
    const { itState, instruction } = step;
    this.leave({ pc: instruction.address, bails: true, cycles, instructions, state, itState, timing });
  }

  /** Control leaves the sequence here; the code after it is for when a condition did not hold. */
  private branch(target: Expr, interworks: boolean, step: Step): void {
    const { code, w } = this;
    const { sequential, taken } = code.costs(step);
    if (target.k === 'const') {
      const address = (target.value & ~1) >>> 0;
      const isNext = address === step.next && step.instruction.branch !== 'always';
      const cost = isNext ? sequential : taken;
      this.endBlock(code.cycles + cost.cycles, code.instructions + 1);
      this.goTo(address, cost.next);
      return;
    }
    this.x.expression(target);
    w.set(localOfCell(cell.target));
    this.endBlock(code.cycles + taken.cycles, code.instructions + 1);
    for (const address of this.node!.expected) {
      w.get(localOfCell(cell.target));
      w.const(interworks ? address | 1 : address);
      w.op('i32.eq');
      w.open('if');
      this.goTo(address, taken.next);
      w.end();
    }
    this.leave({ pc: null, interworks });
  }

  /** The counters are complete. @param state of the pipeline there */
  private goTo(address: number, state: number): void {
    const { w, x } = this;
    const to = this.node!.edges.get(address);
    if (to === undefined) {
      this.leave({ pc: address, state });
      return;
    }
    x.adapt(this.flagsAt.get(to)!);
    const number = this.dispatched.get(to);
    if (number !== undefined) {
      w.const(number);
      w.set(local.entry);
    }
    const label = this.labels.get(to)!;
    if (this.open.has(to) && this.timing === null) this.lookAtBudget(address, state);
    w.br(label);
  }

  /** Leaves if nothing is left. */
  private lookAtBudget(pc: number, state: number): void {
    const { w } = this;
    w.get(local.counters);
    w.get(local.limit);
    w.op('i64.ge_u');
    w.open('if');
    this.leave({ pc, state });
    w.end();
  }

  private endBlock(cycles: number, instructions: number): void {
    this.code.count(cycles, instructions);
    this.timing?.pass(cycles, 'end');
  }

  /** Control reaches the end of a block. */
  private afterLast({ block }: Node): void {
    const { cycles, instructions, state } = this.code;
    if (lastStep(block).instruction.branch === 'always') return;
    const { itState, end } = block;
    this.endBlock(cycles, instructions);
    if (itState !== 0) this.leave({ pc: end, state, itState });
    else this.goTo(end, state);
  }
}

const headsOf = (item: Item): readonly number[] => (typeof item === 'number' ? [item] : item.heads);

/** Numbers for the heads of loops that have several. */
function numberHeads(items: readonly Item[], numbers: Map<number, number>): void {
  for (const item of items) {
    if (typeof item === 'number') continue;
    if (item.heads.length > 1) for (const [number, head] of item.heads.entries()) numbers.set(head, number);
    numberHeads(item.items, numbers);
  }
}
