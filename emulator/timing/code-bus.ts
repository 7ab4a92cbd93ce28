/**
 * One bus of 32 bits for instructions and for data beside them (Cortex-M33's C-AHB, Arm 100230): a cycle in which it moves data fetches nothing. The core
 * notices once the words that it has fetched ahead are used up; it fetches ahead while instructions are short or wait.
 */

/** Words fetched ahead at most: as the queue of Cortex-M3 and M4; that of Cortex-M33 is not published. */
const AHEAD_MAX = 3;

export class CodeBus {
  /** Words fetched beyond what is needed to execute one a cycle; below 0: behind. */
  private ahead = 0;
  private word = 0;
  private at = 0;

  /** Cycles an instruction waits for its last word. @param now cycle counter before it */
  fetch(address: number, bytes: number, branched: boolean, now: number): number {
    const word = (address + bytes - 1) >>> 2;
    const needed = word - this.word;
    this.word = word;
    const free = Math.max(now - this.at, 0);
    this.at = now;
    if (branched) {
      this.ahead = 0;
      return 0;
    }
    this.ahead = Math.min(this.ahead + free, AHEAD_MAX) - needed;
    const stall = Math.max(-this.ahead, 0);
    this.ahead += stall;
    this.at += stall;
    return stall;
  }

  /** A load or store has taken the bus for a cycle. */
  data(): void {
    this.ahead--;
  }

  countersReset(): void {
    this.at = 0;
  }

  save(): readonly number[] {
    return [this.ahead, this.word, this.at];
  }

  restore([ahead = 0, word = 0, at = 0]: readonly number[]): void {
    Object.assign(this, { ahead, word, at });
  }
}
