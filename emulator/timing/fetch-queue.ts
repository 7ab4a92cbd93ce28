/**
 * Prefetch of the Cortex-M3 and M4: a queue of three words (Arm knowledge base 103488664), filled in order by one 32-bit fetch a cycle; a word fetched in one
 * cycle arrives in the next, moves to decode and then executes. An instruction moves to decode when the one before it begins to execute; its word's place
 * in the queue is free in the cycle after its last halfword has moved. From that follow, without a rule of their own, the extra cycle of three
 * 32-bit instructions in a row that are not word-aligned and of a branch to one (both measured: jnk0le/random, compendium.i-0.nl).
 */

/** From the address phase of a fetch to the first cycle of execution: two cycles of fetch, one of decode. */
const FETCH_TO_EXECUTE = 3;
/** Earlier than this, an event does not delay anything any more. */
const LONG_AGO = -4;

/** All times in cycles, 0 being the first in which the next instruction may execute. */
export interface FetchQueue {
  /** Address phases of the fetches of the word the next instruction begins in and of the two words after it. */
  readonly fetches: readonly [number, number, number];
  /** When the instruction before began to execute. */
  readonly executing: number;
}

/** A branch's target is fetched so that it executes in cycle 0, the words after it one by one. */
export const REFILLED_QUEUE: FetchQueue = { fetches: [-3, -2, -1], executing: LONG_AGO };

const lastFetch = ({ fetches }: FetchQueue, address: number, bytes: number): number =>
  (address & 2) + bytes > 4 ? fetches[1] : fetches[0];

/** First cycle in which the instruction may execute as far as its fetch is concerned. */
export function arrival(queue: FetchQueue, address: number, bytes: number): number {
  return lastFetch(queue, address, bytes) + FETCH_TO_EXECUTE;
}

/** @param start cycle in which the instruction begins to execute @param cycles until the next one may */
export function advance(queue: FetchQueue, address: number, bytes: number, start: number, cycles: number): FetchQueue {
  const { fetches, executing } = queue;
  let [first, second, third] = fetches;
  if ((address & 2) + bytes >= 4) {
    const decoded = Math.max(lastFetch(queue, address, bytes) + FETCH_TO_EXECUTE - 1, executing);
    [first, second, third] = [second, third, Math.max(third + 1, decoded + 1)];
  }
  const shift = (time: number): number => Math.max(time - start - cycles, LONG_AGO);
  return { fetches: [shift(first), shift(second), shift(third)], executing: Math.max(-cycles, LONG_AGO) };
}
