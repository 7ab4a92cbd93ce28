/**
 * Which blocks are translated together: what has been executed and is reachable from a hot block by direct branches. A small callee is
 * copied into every place that calls it, so that its return is one comparison; others are regions of their own. What a block costs depends on the
 * pipeline's state at its start, so that the same block in another state is another node.
 */
import { cell } from '../../../isa/ir.ts';
import type { Instruction } from '../../../timing/instruction.ts';
import { REFILLED } from '../../../timing/pipeline.ts';
import type { Block, Step, StepCosts } from '../block.ts';
import type { Part } from '../guest-memory.ts';
import type { TimingSite } from './timing-memo.ts';
import { placeAccesses, type PlacedAccesses } from './slaves.ts';

const INSTRUCTIONS_MAX = 1200;
const NODES_MAX = 400;
/** As many as the table of entries can tell apart. */
export const ENTRIES_MAX = 256;
/** Longest function that is copied into its callers, and how deep. */
const INLINE_INSTRUCTIONS_MAX = 150;
const INLINE_DEPTH_MAX = 4;

/** A way out of translated code: what the counters and the interpreter's state are there. */
export interface Site {
  /** Next instruction, or null: cell.target says. */
  readonly pc: number | null;
  /** Through an interworking branch: bit 0 of the target counts. */
  readonly interworks: boolean;
  /** The interpreter must execute the instruction at pc. */
  readonly bails: boolean;
  readonly cycles: number;
  readonly instructions: number;
  /** Of the pipeline. */
  readonly state: number;
  readonly itState: number;
  /** Where memories have a time: the stretch of code that is still to be counted; null: there is none. */
  readonly timing: TimingSite | null;
}

/** A copied callee: who called it is known, and so where it returns to. */
interface Context {
  readonly parent: Context | null;
  readonly returnAddress: number;
  readonly callee: number;
  readonly depth: number;
}

/** A block in one context and state of the pipeline. */
export interface Node {
  readonly block: Block;
  readonly context: Context | null;
  readonly state: number;
  readonly accesses: PlacedAccesses;
  /** Reached from outside of the region only. */
  readonly isEntry: boolean;
  /** Nodes that addresses lead to from here. */
  readonly edges: Map<number, number>;
  /** Where an indirect branch is expected to go. */
  readonly expected: number[];
}

export interface RegionPlan {
  readonly nodes: readonly Node[];
  /** Nodes that can be entered from outside, the first one first. */
  readonly entries: readonly number[];
}

export interface CodeSource {
  /** A block fit for translation that has been executed, or null. */
  blockAt(address: number): Block | null;
  /** What an instruction costs in a state of the pipeline. @param slave memory its accesses go to, where it matters */
  costsIn(state: number, step: Step, slave: number): StepCosts;
  /** Memories, those first that can be written to. */
  readonly parts: readonly Part[];
}

export const lastStep = (block: Block): Step => block.steps.at(-1)!;

/** State of the pipeline behind the last instruction, if it does not branch. */
function stateBehind({ block, state, accesses }: Node, source: CodeSource): number {
  const { bySteps } = accesses;
  return block.steps.reduce(
    (before, step) => source.costsIn(before, step, bySteps.get(step) ?? 0).sequential.next,
    state,
  );
}

/** Whether the instruction at the end of a block calls: control comes back behind it. */
function isCall(instruction: Instruction): boolean {
  if (instruction.size === 2) return (instruction.encoding & 0xff87) === 0x4780;
  return instruction.timing === 'branchLink';
}

/** Table branches and loads or moves to the pc that are no return: where they went is worth expecting. */
function isComputedBranch({ timing, encoding, size }: Instruction): boolean {
  if (timing === 'tableBranch') return true;
  if (timing === 'loadPc') return ((encoding >>> 16) & 0xf) !== cell.sp;
  return timing === 'aluPc' && !(size === 2 && ((encoding >> 3) & 0xf) === cell.lr);
}

class Planner {
  readonly nodes: Node[] = [];
  readonly entries: number[] = [];
  private readonly source: CodeSource;
  private readonly queue: number[] = [];
  private readonly known = new Map<Context | null, Map<string, number>>();
  private readonly sizes = new Map<number, number>();
  private readonly accesses = new Map<Block, PlacedAccesses>();
  private instructions = 0;

  private readonly isEntry: (address: number) => boolean;

  constructor(source: CodeSource, isEntry: (address: number) => boolean) {
    this.source = source;
    this.isEntry = isEntry;
  }

  plan(start: Block, state: number): RegionPlan {
    this.entries.push(this.add(start, state, null, true));
    for (let at = 0; at < this.queue.length; at++) this.follow(this.nodes[this.queue[at]!]!);
    return this;
  }

  private add(block: Block, state: number, context: Context | null, isEntry: boolean): number {
    const index = this.nodes.length;
    let accesses = this.accesses.get(block);
    if (accesses === undefined) this.accesses.set(block, (accesses = placeAccesses(block, this.source.parts)));
    this.nodes.push({ block, state, accesses, context, isEntry, edges: new Map(), expected: [] });
    this.instructions += block.steps.length;
    this.queue.push(index);
    return index;
  }

  /** The node for an address, made if there is room. */
  private reach(address: number, state: number, context: Context | null): number | null {
    let inContext = this.known.get(context);
    if (inContext === undefined) this.known.set(context, (inContext = new Map<string, number>()));
    const key = `${address} ${state}`;
    const known = inContext.get(key);
    if (known !== undefined) return known;
    const block = this.source.blockAt(address);
    if (block === null || this.nodes.length >= NODES_MAX) return null;
    if (this.instructions + block.steps.length > INSTRUCTIONS_MAX) return null;
    const index = this.add(block, state, context, false);
    inContext.set(key, index);
    return index;
  }

  private link(node: Node, address: number, context: Context | null, state = REFILLED): boolean {
    const to = this.reach(address, state, context);
    if (to !== null) node.edges.set(address, to);
    return to !== null;
  }

  private follow(node: Node): void {
    const { block, context } = node;
    const { instruction, stops } = lastStep(block);
    if (stops) return;
    const { target, branch } = instruction;
    if (branch === 'none') {
      if (block.itState === 0) this.linkNext(node);
      return;
    }
    if (isCall(instruction)) {
      this.followCall(node, instruction);
      return;
    }
    if (target !== null) this.link(node, target, context);
    else this.followIndirect(node, instruction);
    if (branch === 'conditional') this.linkNext(node);
  }

  /** Also where a conditional branch leads to the next instruction: that counts as not taken. */
  private linkNext(node: Node): void {
    node.edges.delete(node.block.end);
    this.link(node, node.block.end, node.context, stateBehind(node, this.source));
  }

  private followCall(node: Node, { target, branch }: Instruction): void {
    const { block, context } = node;
    const returnAddress = block.end;
    if (target !== null && this.isCopied(target, context)) {
      const inner = { parent: context, returnAddress, callee: target, depth: (context?.depth ?? 0) + 1 };
      this.link(node, target, inner);
    } else if (context === null) this.addEntry(returnAddress);
    if (branch === 'conditional') this.linkNext(node);
  }

  private followIndirect(node: Node, instruction: Instruction): void {
    const { context, block } = node;
    const targets = isComputedBranch(instruction) ? block.targets : [];
    for (const target of targets) if (this.link(node, target, context)) node.expected.push(target);
    if (context === null || targets.length > 0) return;
    if (this.link(node, context.returnAddress, context.parent)) node.expected.push(context.returnAddress);
  }

  /** Control comes back there from a callee outside of the region. */
  private addEntry(address: number): void {
    if (this.isEntry(address)) return;
    if (this.entries.some((entry) => this.nodes[entry]!.block.start === address)) return;
    const block = this.source.blockAt(address);
    if (block === null || this.nodes.length >= NODES_MAX || this.entries.length >= ENTRIES_MAX) return;
    if (this.instructions + block.steps.length > INSTRUCTIONS_MAX) return;
    this.entries.push(this.add(block, REFILLED, null, true));
  }

  private isCopied(callee: number, context: Context | null): boolean {
    if ((context?.depth ?? 0) >= INLINE_DEPTH_MAX) return false;
    for (let outer = context; outer !== null; outer = outer.parent) if (outer.callee === callee) return false;
    const size = this.sizeOf(callee);
    return size <= INLINE_INSTRUCTIONS_MAX && this.instructions + size <= INSTRUCTIONS_MAX;
  }

  /** Instructions of a function without its callees, as far as it has been executed; Infinity if too many or none. */
  private sizeOf(entry: number): number {
    const known = this.sizes.get(entry);
    if (known !== undefined) return known;
    const seen = new Set<number>();
    const queue = [entry];
    let size = 0;
    for (let address = queue.pop(); address !== undefined && size <= INLINE_INSTRUCTIONS_MAX; address = queue.pop()) {
      if (seen.has(address)) continue;
      seen.add(address);
      const block = this.source.blockAt(address);
      if (block === null) continue;
      size += block.steps.length;
      const { instruction } = lastStep(block);
      const calls = isCall(instruction);
      if (instruction.target !== null && !calls) queue.push(instruction.target);
      if (instruction.branch !== 'always' || calls) queue.push(block.end);
    }
    const result = size === 0 ? Infinity : size;
    this.sizes.set(entry, result);
    return result;
  }
}

/** @param state of the pipeline at the start @param isEntry whether a region can be entered at an address already */
export function planRegion(
  start: Block,
  state: number,
  source: CodeSource,
  isEntry: (address: number) => boolean,
): RegionPlan {
  return new Planner(source, isEntry).plan(start, state);
}
