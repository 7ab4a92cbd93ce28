/**
 * A memory whose one port serves instructions and data, in lines of several words (STM32L1 with ACC64 and PRFTEN, RM0038 chapter 3; that data goes first
 * is assumed). The line that instructions come from is at hand; the next one is read once the first word of this one has been fetched, in the first cycle
 * without a read of data. Only the first word of a line ever waits.
 */

/** Address phases of the fetches of the word the next instruction begins in and of the two words after it. */
export type Fetches = readonly [number, number, number];

/** Earlier than this, an event does not delay anything any more. */
export const LONG_AGO = -4;

/** Times are those of the fetch queue. */
export interface LineReads {
  /** When the next line is read. */
  readonly readAt: number;
  /** Words from the one the next instruction begins in to the first of that line. */
  readonly distance: number;
  /** Its first word is in the queue and may have to wait. */
  readonly isAwaited: boolean;
}

/** After a branch its target's line has been read, and the one of the word after next. */
export function readsAfterBranch(target: number, lineWords: number): LineReads {
  const inLine = (target >>> 2) % lineWords;
  const lines = Math.floor((inLine + 2) / lineWords) + 1;
  const readAt = (inLine + 2) % lineWords === 0 ? -1 : -2;
  return { readAt, distance: lines * lineWords - inLine, isAwaited: false };
}

export class SharedPort {
  private readonly lineWords: number;
  private readonly times: [number, number, number];
  private readAt: number;
  private distance: number;
  private isAwaited: boolean;

  constructor(lineWords: number, fetches: Fetches, { readAt, distance, isAwaited }: LineReads) {
    this.lineWords = lineWords;
    this.times = [...fetches];
    this.readAt = readAt;
    this.distance = distance;
    this.isAwaited = isAwaited;
  }

  get fetches(): Fetches {
    return this.times;
  }

  /** Data is read in `words` cycles from `start` on: what would be read then is read later. */
  readData(start: number, words: number): void {
    this.turnTo(start);
    for (let cycle = start; cycle < start + words; cycle++) {
      this.turnTo(cycle);
      if (this.readAt !== cycle) continue;
      this.readAt++;
      if (this.isAwaited) this.delay(this.distance);
    }
  }

  /** The first word has left the queue; another one is wanted behind the last. Data is read as readData() was told. */
  fetch(wanted: number, start: number, words: number): void {
    let time = wanted;
    if (this.distance === this.times.length) {
      time = Math.max(wanted, this.readAt);
      this.isAwaited = true;
      if (this.readAt < time) {
        this.next(time);
        while (this.readAt >= start && this.readAt < start + words) this.readAt++;
      }
    }
    this.times.push(time);
    this.times.shift();
    this.distance--;
  }

  /** As seen `cycles` later. */
  after(cycles: number): { readonly fetches: Fetches; readonly reads: LineReads } {
    const [first, second, third] = this.times;
    const at = (time: number): number => Math.max(time - cycles, LONG_AGO);
    const reads = { readAt: at(this.readAt), distance: this.distance, isAwaited: this.isAwaited };
    return { fetches: [at(first), at(second), at(third)], reads };
  }

  /** Once a line that was waited for has been read, the one after it is next. */
  private turnTo(cycle: number): void {
    if (this.isAwaited && this.readAt < cycle) this.next(this.times[this.distance] ?? LONG_AGO);
  }

  /** @param fetched time in which the first word of the line just read is fetched */
  private next(fetched: number): void {
    this.readAt = Math.max(fetched, this.readAt + 1);
    this.distance += this.lineWords;
    this.isAwaited = false;
  }

  /** The word at a place of the queue waits for its line, those behind it for their turn. */
  private delay(place: number): void {
    let earliest = this.readAt;
    for (let at = place; at < this.times.length; at++) {
      this.times[at] = Math.max(this.times[at]!, earliest);
      earliest = this.times[at]! + 1;
    }
  }
}
