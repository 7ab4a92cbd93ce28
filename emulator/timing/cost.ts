/** What a core's timing table is made of. A core without a table has no cycle counts, only a clock of one tick an instruction. */
import type { cortexM4 } from './cortex-m4.ts';

export type Confidence = 'documented' | 'measured' | 'assumed';

export interface Cost {
  /** Cycles without words and refill. */
  readonly cycles: number;
  /** Cycles for every word of a multiple transfer. */
  readonly perWord?: number;
  /** Cycles to refill the pipeline when control leaves the sequence. */
  readonly refill?: number;
  readonly source: string;
  readonly confidence: Confidence;
}

/**
 * What never executes and has no cost: instructions of the Security extension, of a coprocessor the core is built without (a NOCP fault), and
 * encodings of the FPU that it does not have, which are NOCP faults too while it is switched off.
 */
export type StoppingClass = 'security' | 'coprocessorAbsent' | 'fpUndefined';
/** Of no cost: the run stops before them. */
export const NEVER_EXECUTED: ReadonlySet<string> = new Set<StoppingClass>([
  'security',
  'coprocessorAbsent',
  'fpUndefined',
]);
/** Double precision: arithmetic with the conversions and comparisons, multiplications with the additions. */
export type DoubleClass =
  'fpDoubleMove' | 'fpDoubleArithmetic' | 'fpDoubleMultiplyAccumulate' | 'fpDoubleDivide' | 'fpDoubleSquareRoot';
/** The table of the Cortex-M4 names the classes of single precision and of the integer core. */
export type TimingClass = keyof typeof cortexM4 | DoubleClass | StoppingClass;

export interface CoreTiming {
  /** Costs of the classes this core has encodings of. */
  readonly costs: Readonly<Partial<Record<TimingClass, Cost>>>;
  /** Numbers of rules between neighbouring instructions. */
  readonly rules?: Readonly<Record<string, Cost>>;
  /** Which pipeline (cores/core.ts): nothing depends on neighbours (Cortex-M0+), one instruction at a time (M3, M4), two short ones at times (M33), two (M7). */
  readonly stages: 'two' | 'three' | 'three-paired' | 'six';
}
