/**
 * The calls that are open in one context: a thread of control with a stack of its own, or an exception handler. Knows nothing of
 * instructions; call-rules.ts decides what is a call and what is a return.
 */
import type { ContextNode, ContextTree } from './context-tree.ts';
import type { ProfiledFunction } from './functions.ts';
import { timelineKind, type Timeline } from './timeline.ts';

export interface Edge {
  /** Null: started by reset, by an exception or by the caller of Machine.call. */
  readonly caller: ProfiledFunction | null;
  readonly callee: ProfiledFunction;
  calls: number;
  /** Cycles from entry to exit of the callee; an activation inside another one of the same edge is not counted again. */
  cycles: number;
  readonly active: number[];
}

export interface Frame {
  readonly fn: ProfiledFunction;
  readonly node: ContextNode;
  readonly edge: Edge;
  /** Where it goes on after this call, and with which stack pointer; -1 for the first of a context. */
  readonly returnAddress: number;
  readonly entrySp: number;
  /** Where the stack it uses begins. */
  readonly baseSp: number;
  /** Cycles of the context when it was entered. */
  readonly enteredAt: number;
  minSp: number;
  /** The stack pointer was set, not moved: depths cannot be told from it any more. */
  stackSet: boolean;
}

/** What lies below an exception handler on the same stack. */
export interface StackBelow {
  readonly node: ContextNode;
  readonly baseSp: number;
  readonly below: StackBelow | null;
}

export interface DeepestStack {
  readonly bytes: number;
  readonly node: ContextNode;
  readonly below: StackBelow | null;
}

export interface Entry {
  readonly fn: ProfiledFunction;
  readonly returnAddress: number;
  readonly sp: number;
  /** Cycles of the whole run. */
  readonly at: number;
  /** False: control came into the middle of the function. */
  readonly isCall: boolean;
}

export class ShadowStack {
  readonly id: number;
  readonly name: string;
  /** 0: thread mode. */
  readonly exception: number;
  readonly root: ContextNode;
  readonly frames: Frame[] = [];
  /** Cycles spent here. */
  clock = 0;
  /** Where it was interrupted. */
  parkedPc = -1;
  parkedSp = -1;
  deepest: DeepestStack | null = null;
  /** Extent of the stack in use; Infinity and 0 before anything is on it. */
  stackLow = Infinity;
  stackHigh = 0;
  /** Of the exception that is being handled; null in threads, and for handlers on a stack of their own. */
  below: StackBelow | null = null;
  private readonly tree: ContextTree;
  private readonly timeline: Timeline;
  private readonly edges: Map<string, Edge>;

  constructor(id: number, name: string, exception: number, shared: SharedParts, root?: ContextNode) {
    this.id = id;
    this.name = name;
    this.exception = exception;
    this.tree = shared.tree;
    this.timeline = shared.timeline;
    this.edges = shared.edges;
    this.root = root ?? shared.tree.root(name);
  }

  get top(): Frame | undefined {
    return this.frames[this.frames.length - 1];
  }

  push({ fn, returnAddress, sp, at, isCall }: Entry): void {
    const caller = this.top;
    const node = this.tree.child(caller?.node ?? this.root, fn);
    const edge = this.edgeTo(caller?.fn ?? null, fn);
    const baseSp = caller === undefined ? (this.below?.baseSp ?? sp) : caller.stackSet ? sp : caller.baseSp;
    fn.active[this.id] = (fn.active[this.id] ?? 0) + 1;
    edge.active[this.id] = (edge.active[this.id] ?? 0) + 1;
    if (isCall) {
      fn.calls++;
      edge.calls++;
      node.calls++;
    }
    this.frames.push({
      fn,
      node,
      edge,
      returnAddress,
      entrySp: sp,
      baseSp,
      enteredAt: this.clock,
      minSp: sp,
      stackSet: false,
    });
    this.timeline.note(timelineKind.open, fn.index, at);
  }

  pop(at: number): void {
    const frame = this.frames.pop();
    if (frame === undefined) return;
    const { fn, edge } = frame;
    const cycles = this.clock - frame.enteredAt;
    fn.active[this.id] = (fn.active[this.id] ?? 1) - 1;
    edge.active[this.id] = (edge.active[this.id] ?? 1) - 1;
    if (fn.active[this.id] === 0) fn.total += cycles;
    if (edge.active[this.id] === 0) edge.cycles += cycles;
    fn.frameBytes = Math.max(fn.frameBytes, frame.entrySp - frame.minSp);
    this.timeline.note(timelineKind.close, fn.index, at);
  }

  popTo(depth: number, at: number): void {
    while (this.frames.length > depth) this.pop(at);
  }

  /** The stack pointer moved down in the frame on top. */
  noteDepth(frame: Frame, sp: number): void {
    frame.minSp = sp;
    const bytes = frame.baseSp - sp;
    if (sp < this.stackLow) this.stackLow = sp;
    if (frame.baseSp > this.stackHigh) this.stackHigh = frame.baseSp;
    if (this.deepest === null || bytes > this.deepest.bytes)
      this.deepest = { bytes, node: frame.node, below: this.below };
  }

  private edgeTo(caller: ProfiledFunction | null, callee: ProfiledFunction): Edge {
    const key = `${caller?.index ?? -1}>${callee.index}`;
    const known = this.edges.get(key);
    if (known !== undefined) return known;
    const edge: Edge = { caller, callee, calls: 0, cycles: 0, active: [] };
    this.edges.set(key, edge);
    return edge;
  }
}

export interface SharedParts {
  readonly tree: ContextTree;
  readonly timeline: Timeline;
  readonly edges: Map<string, Edge>;
}
