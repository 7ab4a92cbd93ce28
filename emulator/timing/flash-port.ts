/**
 * The one port of a flash array: what the core asks for waits its turn, a prefetch of what lies behind gives way to it. Times are values of the core's cycle
 * counter; units are numbered by address divided by the bytes of one read.
 */
const NO_UNIT = -1;
/** Of saveWords(). */
export const PORT_WORDS = 3;

export class FlashPort {
  private prefetched = NO_UNIT;
  private prefetchedAt = 0;
  private freeAt = 0;

  /** Counter at which a read that is asked for at `now` is there. */
  read(now: number, waitStates: number): number {
    const ready = Math.max(now, this.freeAt) + waitStates;
    this.freeAt = ready + 1;
    // A prefetch under way starts again.
    if (this.prefetched !== NO_UNIT && this.prefetchedAt > now) this.prefetchedAt = ready + 1 + waitStates;
    return ready;
  }

  /** Counter at which an instruction's unit is there, which a prefetch may have brought unless it has been branched to. */
  fetch(unit: number, branched: boolean, now: number, waitStates: number): number {
    if (!branched && this.prefetched === unit) return Math.max(this.prefetchedAt, now);
    this.prefetched = NO_UNIT;
    return this.read(now, waitStates);
  }

  /** Begins to read a unit once the port is free after `ready`. */
  prefetch(unit: number, ready: number, waitStates: number): void {
    if (this.prefetched === unit) return;
    this.prefetched = unit;
    this.prefetchedAt = ready + 1 + waitStates;
  }

  forget(): void {
    this.prefetched = NO_UNIT;
  }

  countersReset(): void {
    this.freeAt = this.prefetchedAt = 0;
  }

  /** As words with times from `now` on; equal words have equal futures. */
  saveWords(words: Int32Array, at: number, now: number): void {
    words[at] = this.prefetched;
    // What lies in the past delays nothing.
    words[at + 1] = this.prefetched === NO_UNIT ? 0 : Math.max(this.prefetchedAt - now, 0);
    words[at + 2] = Math.max(this.freeAt - now, 0);
  }

  restoreWords(words: Int32Array, at: number, now: number): void {
    this.prefetched = words[at]!;
    this.prefetchedAt = now + words[at + 1]!;
    this.freeAt = now + words[at + 2]!;
  }

  save(): readonly number[] {
    return [this.prefetched, this.prefetchedAt, this.freeAt];
  }

  restore([prefetched = NO_UNIT, prefetchedAt = 0, freeAt = 0]: readonly number[]): void {
    Object.assign(this, { prefetched, prefetchedAt, freeAt });
  }
}
