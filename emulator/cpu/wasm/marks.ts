/** Addresses whose passes are recorded with the counters in front of the instruction, and those where the engine stops. */
import type { MarkPass } from '../cpu.ts';

type MarkCallback = (pass: MarkPass) => void;

interface Mark {
  readonly callback: MarkCallback | null;
  passes: MarkPass[];
}

export class Marks {
  /** The core's own, by the FPB and the DWT. */
  breakpoints: ReadonlySet<number> = new Set();
  private readonly marks = new Map<number, Mark>();
  /** A callback asked to stop: the next run passes the mark once without counting it again. */
  private stopped = false;

  get size(): number {
    return this.marks.size;
  }

  /** Whether a block must end in front of it. */
  has(address: number): boolean {
    return this.marks.has(address) || this.breakpoints.has(address);
  }

  add(address: number, callback: MarkCallback | null): void {
    this.marks.set(address, { callback, passes: [] });
  }

  /** The pass that the next run owes is that of the mark at `pc`; another one's must not be taken for it. */
  remove(address: number, pc: number): void {
    this.marks.delete(address);
    if (address === pc) this.stopped = false;
  }

  /** The passes so far, which are forgotten. */
  take(address: number): MarkPass[] {
    const mark = this.marks.get(address);
    if (mark === undefined) return [];
    const { passes } = mark;
    mark.passes = [];
    return passes;
  }

  /** The program goes on elsewhere: no pass is owed. */
  forgetStop(): void {
    this.stopped = false;
  }

  /** Counts the pass of a mark there; whether its callback asked to stop in front of the instruction. */
  stopsAt(pass: MarkPass, isStopRequested: () => boolean): boolean {
    const mark = this.marks.get(pass.address);
    if (mark === undefined) return false;
    if (this.stopped) {
      this.stopped = false;
      return false;
    }
    mark.passes.push(pass);
    mark.callback?.(pass);
    this.stopped = isStopRequested();
    return this.stopped;
  }
}
