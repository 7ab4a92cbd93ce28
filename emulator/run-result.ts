/** How a run of a machine ended. */
import type { Counters } from './cpu/cpu.ts';
import type { Fault } from './fault.ts';

/** Contract default: 10^10 cycles. */
export const DEFAULT_CYCLES_MAX = 1e10;

export type StopKind = 'exit' | 'breakpoint' | 'fault' | 'limit' | 'idle' | 'return';

export interface RunResult extends Counters {
  readonly stop: StopKind;
  /** Code given by the firmware's exit, 0 for return and idle, null otherwise. */
  readonly exitCode: number | null;
  readonly fault: Fault | null;
  /** Address of the next instruction. */
  readonly pc: number;
}

export interface CallResult extends RunResult {
  /** r0 after the return; meaningless unless stop is 'return'. */
  readonly value: number;
  /** r0 and r1 as one signed 64-bit value. */
  readonly value64: bigint;
}

/** Where resume() was left because pause() asked for it; the instruction at pc has not run. */
export interface Pause extends Counters {
  readonly stop: 'paused';
  readonly pc: number;
}

export interface RunOptions {
  /** Budget of this run in cycles, counted from its beginning. */
  readonly maxCycles?: number;
}
