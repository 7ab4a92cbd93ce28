/**
 * What memories add to a pipeline's cycles: the pipeline counts with zero-wait memories, a memory system says how much longer this fetch or that load takes
 * now. The common case (code and data at hand) adds nothing.
 */
import type { Stateful } from '../state/stateful.ts';

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

export const SLAVES_MAX = 8;
