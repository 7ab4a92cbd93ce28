/**
 * Prefetch of the Cortex-M3 and M4: a queue of three words (Arm knowledge base 103488664), filled in order by one 32-bit fetch a cycle; a word fetched in one
 * cycle arrives in the next, moves to decode and then executes. An instruction moves to decode when the one before it begins to execute; its word's place
 * in the queue is free in the cycle after its last halfword has moved. From that follow, without a rule of their own, the extra cycle of three
 * 32-bit instructions in a row that are not word-aligned and of a branch to one (both measured: jnk0le/random, compendium.i-0.nl).
 */

import { LONG_AGO, readsAfterBranch, SharedPort, type Fetches, type LineReads } from './shared-port.ts';

/** From the address phase of a fetch to the first cycle of execution: two cycles of fetch, one of decode. */
const FETCH_TO_EXECUTE = 3;

/** All times in cycles, 0 being the first in which the next instruction may execute. */
export interface FetchQueue {
  readonly fetches: Fetches;
  /** When the instruction before began to execute. */
  readonly executing: number;
  /** Of a memory that data is read from through the same port, from the first instruction after a branch on. */
  readonly reads?: LineReads;
}

/** The memory of the code is read through one port in lines, of 0 words: it is not. */
export interface CodePort {
  readonly lineWords: number;
  /** Words of data that the instruction reads from that memory, one a cycle from its first on. */
  readonly dataWords: number;
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
export function advance(
  queue: FetchQueue,
  { address, size }: { readonly address: number; readonly size: number },
  start: number,
  cycles: number,
  { lineWords, dataWords }: CodePort,
): FetchQueue {
  const executing = Math.max(-cycles, LONG_AGO);
  const isWordUsed = (address & 2) + size >= 4;
  if (lineWords === 0) {
    const [first, second, third] = queue.fetches;
    const fetches: Fetches = isWordUsed ? [second, third, wanted(queue, address, size)] : [first, second, third];
    const at = (time: number): number => Math.max(time - start - cycles, LONG_AGO);
    return { fetches: [at(fetches[0]), at(fetches[1]), at(fetches[2])], executing };
  }
  const port = new SharedPort(lineWords, queue.fetches, queue.reads ?? readsAfterBranch(address, lineWords));
  port.readData(start, dataWords);
  if (isWordUsed) port.fetch(wanted({ ...queue, fetches: port.fetches }, address, size), start, dataWords);
  return { ...port.after(start + cycles), executing };
}

/** When the queue has a place for the word behind it, once the instruction has moved to decode. */
function wanted(queue: FetchQueue, address: number, bytes: number): number {
  const decoded = Math.max(lastFetch(queue, address, bytes) + FETCH_TO_EXECUTE - 1, queue.executing);
  return Math.max(queue.fetches[2] + 1, decoded + 1);
}
