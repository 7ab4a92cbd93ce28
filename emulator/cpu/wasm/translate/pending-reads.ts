/**
 * Reads of data of a block whose lines are still to be looked at. Those that go through memory line by line (weights, tables, multiple loads) take one
 * loop over the lines, not a look for every read, as far as control cannot leave the block between them.
 */
import type { BlockTime, ReadsEvent } from './timing-memo.ts';

export interface Read extends BlockTime {
  /** Local with a place in the WebAssembly memory; null: 0. */
  readonly base: number | null;
  /** From there on. */
  readonly offset: number;
  /** It surely goes to the memory that takes its time. */
  readonly isTimed: boolean;
  /** Of its code in what has been written, WasmWriter.place. */
  readonly place: number;
}

/** At growing places, each in the line of the one before or in the next one. */
export interface Run {
  readonly base: number | null;
  readonly offset: number;
  readonly isTimed: boolean;
  /** Of the first read. */
  readonly place: number;
  readonly reads: ReadsEvent['reads'][number][];
}

/** Bytes from the first read of a run to the last one. */
export const spanOf = ({ reads }: Run): number => reads.at(-1)!.distance;

export class PendingReads {
  private readonly lineShift: number;
  private runs: Run[] = [];

  constructor(lineShift: number) {
    this.lineShift = lineShift;
  }

  /** Bits of events that they need. */
  get bits(): number {
    return this.runs.reduce((sum, run) => sum + this.bitsOf(run), 0);
  }

  /** Most bits that one more takes. */
  get bitsMore(): number {
    return 1 + this.lineShift;
  }

  /** Lines that a run may touch, wherever in a line it begins. */
  linesOf(run: Run): number {
    return ((spanOf(run) + (1 << this.lineShift) - 1) >>> this.lineShift) + 1;
  }

  add({ base, offset, isTimed, place, count, at }: Read): void {
    const { lineShift } = this;
    const last = this.runs.at(-1);
    if (last?.base === base) {
      const distance = offset - last.offset;
      const step = distance - spanOf(last);
      // What is at a place known now has its line known, too.
      if (base === null) {
        if (offset >> lineShift === last.offset >> lineShift) return;
      } else if (step >= 0 && step <= 1 << lineShift) {
        last.reads.push({ count, at, distance });
        return;
      }
    }
    this.runs.push({ base, offset, isTimed, place, reads: [{ count, at, distance: 0 }] });
  }

  take(): readonly Run[] {
    const { runs } = this;
    this.runs = [];
    return runs;
  }

  bitsOf(run: Run): number {
    const lines = this.linesOf(run);
    return lines === 1 ? 1 : lines + this.lineShift;
  }
}
