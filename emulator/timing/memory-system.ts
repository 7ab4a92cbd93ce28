/**
 * What memories add to a pipeline's cycles: the pipeline counts with zero-wait memories, a memory system says how much longer this fetch or that load takes
 * now. The common case (code and data at hand) adds nothing.
 */
import type { Stateful } from '../state/stateful.ts';
import type { DataLines } from './data-lines.ts';

export interface MemorySystem extends Stateful {
  /** The memory an address belongs to, 1..7: accesses in a row to one memory pipeline; 0 elsewhere. */
  slaveOf(address: number): number;
  /**
   * Extra cycles before the instruction can execute. One that does not lie behind the last was branched to.
   * @param now cycle counter before it
   */
  fetch(address: number, bytes: number, now: number): number;
  /** The cycle counter has been set to 0. */
  countersReset(): void;
  /** Extra cycles of a load or store. @param now cycle counter at its data phase */
  access(address: number, isRead: boolean, now: number): number;
}

/** One whose time can be counted in translated code. Memories (slaveOf) are whole pages; only reads of one memory take longer, by the lines at hand. */
export interface TranslatableMemory extends MemorySystem {
  /** Whether it can, as the memory is set up now. */
  readonly isTranslatable: boolean;
  /** Reads of this memory take longer unless their line is among these. */
  readonly dataLines: DataLines;
  /** Most extra cycles of one line that is fetched, or of one access, as the memory is set up now. */
  readonly extraMax: number;
  /** Lengths of the lines that instructions come in. */
  readonly lineBytes: number;
  /** Words of what saveFetches() writes. */
  readonly fetchWords: number;
  /** Called when the firmware has set up the memory in another way. */
  onChange: (() => void) | null;
  /** Extra cycles of a read that has not found its line in dataLines. */
  miss(now: number): number;
  /** All that decides over later fetches and misses, with times from `now` on; equal words have equal futures. */
  saveFetches(words: Int32Array, now: number): void;
  restoreFetches(words: Int32Array, now: number): void;
}

export const mayTranslate = (system: MemorySystem): system is TranslatableMemory => 'saveFetches' in system;

export const SLAVES_MAX = 8;
