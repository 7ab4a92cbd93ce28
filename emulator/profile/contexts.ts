/** The contexts of a run: threads, told apart by where and with which stack pointer they were left, and one per exception number. */
import type { ContextNode } from './context-tree.ts';
import { ShadowStack, type SharedParts, type StackBelow } from './shadow-stack.ts';

/** Exceptions of the core (DDI 0403E B1.5.2). */
const NAMES = new Map([
  [2, 'NMI'],
  [3, 'HardFault'],
  [4, 'MemManage'],
  [5, 'BusFault'],
  [6, 'UsageFault'],
  [7, 'SecureFault'],
  [11, 'SVCall'],
  [12, 'DebugMonitor'],
  [14, 'PendSV'],
  [15, 'SysTick'],
]);
const FIRST_INTERRUPT = 16;
/** An exception frame with FP registers and padding: a handler that begins so far below is on the same stack. */
const EXCEPTION_FRAME_BYTES_MAX = 0x6c + 4 + 0x40;

export function exceptionName(number: number): string {
  return NAMES.get(number) ?? (number >= FIRST_INTERRUPT ? `IRQ ${number - FIRST_INTERRUPT}` : `exception ${number}`);
}

/** Pseudo exception number of the time that no instruction takes. */
export const CORE = -1;

export class Contexts {
  readonly all: ShadowStack[] = [];
  private readonly shared: SharedParts;
  private threads = 0;

  constructor(shared: SharedParts) {
    this.shared = shared;
  }

  /** The thread that was left at an address with a stack pointer; failing that, with that stack pointer; else a new one. */
  thread(pc: number, sp: number): ShadowStack {
    const threads = this.all.filter((stack) => stack.exception === 0);
    const idle = threads.find((stack) => stack.frames.length === 0);
    return (
      threads.find((stack) => stack.frames.length > 0 && stack.parkedPc === pc && stack.parkedSp === sp) ??
      threads.find((stack) => stack.frames.length > 0 && stack.parkedSp === sp) ??
      idle ??
      this.addThread()
    );
  }

  addThread(): ShadowStack {
    const name = `thread ${this.threads}`;
    this.threads++;
    return this.add(name, 0);
  }

  handler(number: number): ShadowStack {
    return this.all.find((stack) => stack.exception === number) ?? this.add(exceptionName(number), number);
  }

  core(root: ContextNode): ShadowStack {
    return this.all.find((stack) => stack.exception === CORE) ?? this.add(root.label, CORE, root);
  }

  /** What lies under a handler that begins with a stack pointer, if it is the stack of what it interrupted. */
  below(interrupted: ShadowStack | null, sp: number): StackBelow | null {
    const frame = interrupted?.top;
    if (interrupted === null || frame === undefined) return null;
    const bytes = interrupted.parkedSp - sp;
    if (bytes < 0 || bytes > EXCEPTION_FRAME_BYTES_MAX || frame.stackSet) return null;
    return { node: frame.node, baseSp: frame.baseSp, below: interrupted.below };
  }

  private add(name: string, exception: number, root?: ContextNode): ShadowStack {
    const stack = new ShadowStack(this.all.length, name, exception, this.shared, root);
    this.all.push(stack);
    return stack;
  }
}
