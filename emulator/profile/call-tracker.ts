/**
 * Follows control through a run: which function of which context every cycle belongs to. Contexts are threads of control and exception
 * handlers. The rules are in README.md; whatever they decide, each cycle is counted exactly once.
 */
import type { TracePoint } from '../cpu/cpu.ts';
import { ContextTree, type ContextNode } from './context-tree.ts';
import { Contexts } from './contexts.ts';
import type { FunctionTable, ProfiledFunction } from './functions.ts';
import { isCall, isWait, setsStackPointer } from './instruction-kind.ts';
import type { Edge, Frame, ShadowStack } from './shadow-stack.ts';
import { timelineKind, type Timeline } from './timeline.ts';

/** From here up an address is an EXC_RETURN (DDI 0403E B1.5.8). */
export const EXCEPTION_RETURN_MIN = 0xff00_0000;

export const SLEEP = '(sleep)';
export const EXCEPTION_LATENCY = '(exception entry and return)';

/** What the tracker asks about the core, at the moment of an instruction. */
export interface CoreView {
  /** IPSR: number of the exception being handled, 0 in thread mode. */
  exceptionNumber(): number;
  linkRegister(): number;
}

export class CallTracker {
  readonly tree = new ContextTree();
  readonly edges = new Map<string, Edge>();
  readonly functions: FunctionTable;
  readonly contexts: Contexts;
  private readonly core: CoreView;
  private readonly timeline: Timeline;
  private readonly coreRoot: ContextNode;
  private current: ShadowStack | null = null;
  /** Cycles so far, and where the next instruction is if nothing interrupts. */
  private now: number;
  private expected = -1;
  private lastSp = -1;
  private lastWaits = false;

  /** @param now the cycle counter when tracking begins */
  constructor(functions: FunctionTable, timeline: Timeline, core: CoreView, now: number) {
    this.functions = functions;
    this.timeline = timeline;
    this.core = core;
    this.now = now;
    this.contexts = new Contexts({ tree: this.tree, timeline, edges: this.edges });
    this.coreRoot = this.tree.root('(core)');
  }

  /** To be called for every instruction, in order. */
  retire(point: TracePoint): void {
    const { instruction, cost, next } = point;
    const startsAt = point.cycles - cost;
    if (instruction.address !== this.expected || this.current?.top === undefined) this.arrive(point, startsAt);
    else if (startsAt !== this.now) this.passTime(startsAt, SLEEP);
    const stack = this.current!;
    const frame = stack.top!;
    frame.node.self += cost;
    frame.node.instructions++;
    frame.fn.self += cost;
    frame.fn.instructions++;
    stack.clock += cost;
    this.now = point.cycles;
    if (point.sp !== point.spBefore) this.noteStackPointer(stack, frame, point);
    if (next === instruction.address + instruction.size) {
      if (next >= frame.fn.end) this.replaceTop(stack, frame, next);
    } else if (next < EXCEPTION_RETURN_MIN) this.transfer(stack, frame, point);
    this.expected = next;
    this.lastSp = point.sp;
    this.lastWaits = isWait(instruction);
  }

  /** Ends all that is open. @param cycles the counter now; what passed since the last instruction is sleep or exception latency */
  finish(cycles: number): void {
    if (cycles > this.now) this.passTime(cycles, this.lastWaits ? SLEEP : EXCEPTION_LATENCY);
    for (const stack of this.contexts.all) {
      if (stack.frames.length > 0) this.timeline.note(timelineKind.switchTo, stack.id, this.now);
      stack.popTo(0, this.now);
    }
  }

  /** Control is elsewhere than the instruction before sent it: the first instruction, an exception's entry or return, a restart. */
  private arrive(point: TracePoint, startsAt: number): void {
    const { address } = point.instruction;
    const number = this.core.exceptionNumber();
    const before = this.current;
    const returns = this.expected >= EXCEPTION_RETURN_MIN;
    if (before !== null) {
      before.parkedPc = this.expected;
      before.parkedSp = this.lastSp;
    }
    if (before !== null && returns) before.popTo(0, this.now);
    else if (before?.exception === number) before.popTo(0, this.now);
    if (startsAt !== this.now) this.passTime(startsAt, this.lastWaits ? SLEEP : EXCEPTION_LATENCY);
    const stack = number === 0 ? this.contexts.thread(address, point.spBefore) : this.contexts.handler(number);
    if (stack !== before) this.switchTo(stack);
    if (stack.frames.length > 0) {
      this.resume(stack, address);
      return;
    }
    const chained = returns ? (before?.below ?? null) : this.contexts.below(before, point.spBefore);
    stack.below = number === 0 ? null : chained;
    // The first instruction has run: if it is a call, LR is no longer what it was.
    const returnAddress = isCall(point.instruction) ? -1 : this.core.linkRegister() - 1;
    this.enter(stack, address, returnAddress, point.spBefore);
  }

  /** A parked context goes on, by exception return; a handler may have changed where. */
  private resume(stack: ShadowStack, address: number): void {
    const frame = stack.top;
    if (frame !== undefined && !contains(frame.fn, address)) this.replaceTop(stack, frame, address);
  }

  private transfer(stack: ShadowStack, frame: Frame, { instruction, next, sp }: TracePoint): void {
    const after = instruction.address + instruction.size;
    if (isCall(instruction)) {
      this.enter(stack, next, after, sp);
      return;
    }
    const isIndirect = instruction.target === null;
    if (isIndirect && frame.returnAddress === next && frame.entrySp === sp) {
      stack.pop(this.now);
      return;
    }
    if (contains(frame.fn, next) || (isIndirect && this.returns(stack, next, sp))) return;
    // LR = PC by hand, then a branch.
    if (isIndirect && this.core.linkRegister() === after + 1) this.enter(stack, next, after, sp);
    else if (isIndirect && frame.stackSet && sp !== frame.entrySp) {
      const started = this.contexts.addThread();
      this.switchTo(started);
      this.enter(started, next, -1, sp);
    } else this.replaceTop(stack, frame, next);
  }

  /** Whether an indirect branch out of the function ends several calls at once: of this context by return or longjmp, or by going on with another one's stack. */
  private returns(stack: ShadowStack, next: number, sp: number): boolean {
    const depth = depthAfterReturn(stack, next, sp) ?? depthAfterUnwinding(stack, next, sp);
    if (depth !== null) {
      stack.popTo(depth, this.now);
      return true;
    }
    for (const other of this.contexts.all) {
      const isThread = other !== stack && other.exception === 0 && stack.exception === 0;
      const otherDepth = isThread ? depthAfterReturn(other, next, sp) : null;
      if (otherDepth === null) continue;
      this.switchTo(other);
      other.popTo(otherDepth, this.now);
      return true;
    }
    return false;
  }

  private enter(stack: ShadowStack, address: number, returnAddress: number, sp: number): void {
    const fn = this.functions.at(address);
    stack.push({ fn, returnAddress, sp, at: this.now, isCall: address === fn.start });
  }

  /** Tail call, or running on into the next function: it takes the place of the one on top and returns where that would have. */
  private replaceTop(stack: ShadowStack, { returnAddress, entrySp }: Frame, address: number): void {
    stack.pop(this.now);
    this.enter(stack, address, returnAddress, entrySp);
  }

  private noteStackPointer(stack: ShadowStack, frame: Frame, { instruction, sp }: TracePoint): void {
    if (setsStackPointer(instruction)) frame.stackSet = true;
    else if (sp < frame.minSp && !frame.stackSet) stack.noteDepth(frame, sp);
  }

  private switchTo(stack: ShadowStack): void {
    this.current = stack;
    this.timeline.note(timelineKind.switchTo, stack.id, this.now);
  }

  /** Cycles that no instruction takes. */
  private passTime(until: number, what: string): void {
    const fn = this.functions.pseudo(what);
    const node = this.tree.child(this.coreRoot, fn);
    const cycles = until - this.now;
    fn.self += cycles;
    fn.total += cycles;
    fn.calls++;
    node.self += cycles;
    node.calls++;
    const idle = this.contexts.core(this.coreRoot);
    this.timeline.note(timelineKind.switchTo, idle.id, this.now);
    this.timeline.note(timelineKind.open, fn.index, this.now);
    this.now = until;
    this.timeline.note(timelineKind.close, fn.index, until);
    if (this.current !== null) this.timeline.note(timelineKind.switchTo, this.current.id, until);
  }
}

function contains(fn: ProfiledFunction, address: number): boolean {
  return address >= fn.start && address < fn.end;
}

/** Open calls left when control returns to an address with a stack pointer; null when no call is to return there. */
function depthAfterReturn({ frames }: ShadowStack, next: number, sp: number): number | null {
  for (let depth = frames.length - 1; depth >= 0; depth--) {
    const frame = frames[depth];
    if (frame?.returnAddress === next && frame.entrySp === sp) return depth;
  }
  return null;
}

/** longjmp: into the middle of a function that is open further down and whose callees' stack is released by that. */
function depthAfterUnwinding({ frames }: ShadowStack, next: number, sp: number): number | null {
  for (let depth = frames.length - 2; depth >= 0; depth--) {
    const { fn, entrySp } = frames[depth]!;
    if (contains(fn, next) && next !== fn.start && frames[depth + 1]!.entrySp <= sp && sp <= entrySp) return depth + 1;
  }
  return null;
}
