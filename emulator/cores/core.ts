/**
 * The core of a board: what its instruction set, its registers and its exception model have. Facts are data (cores.ts); code asks for a
 * property of the core, never for its name.
 */
import type { Board } from '../../boards/schema.ts';
import { cortexM0plusTiming, withIterativeMultiplier } from '../timing/cortex-m0plus.ts';
import { cortexM3Timing } from '../timing/cortex-m3.ts';
import { cortexM33Timing } from '../timing/cortex-m33.ts';
import { cortexM4Timing } from '../timing/cortex-m4.ts';
import { cortexM7Timing } from '../timing/cortex-m7.ts';
import { SuperscalarPipeline } from '../timing/superscalar-pipeline.ts';
import type { LiftedCore } from '../isa/lift.ts';
import type { CoreTiming } from '../timing/cost.ts';
import { PairedPipeline } from '../timing/paired-pipeline.ts';
import { tickPipeline, type Pipeline } from '../timing/pipeline.ts';
import { TablePipeline } from '../timing/table-pipeline.ts';
import { ThreeStagePipeline } from '../timing/three-stage-pipeline.ts';
import { cores, featureRegisters } from './cores.ts';

export type CoreName = Board['core'];

/** Armv6-M, Armv7-M (v7E-M with `dsp`), Armv8-M Baseline and Mainline without the Security extension. */
export type Architecture = 'v6-m' | 'v7-m' | 'v8-m.base' | 'v8-m.main';

/** FPv4 and FPv5 with single precision only, FPv5 with both. */
export type Fpu = 'none' | 'fpv4-sp' | 'fpv5-sp' | 'fpv5-dp';

/** What every part with this core has in common; for what the maker of a part chooses, the value says so in `source`. */
export interface CoreFacts {
  readonly architecture: Architecture;
  /** The DSP extension: SIMD in registers, saturating and dual multiplies. */
  readonly dsp: boolean;
  /** CPUID: implementer, variant, part number, revision. */
  readonly cpuid: number;
  /** Implemented upper bits of a configurable priority. */
  readonly priorityBits: number;
  /** 0: no MPU. */
  readonly mpuRegions: number;
  readonly interruptLines: number;
  /** VTOR exists; without it the vector table is at address 0. */
  readonly hasVtor: boolean;
  /** CONTROL.nPRIV exists. */
  readonly hasUnprivileged: boolean;
  /** Caches of its own for instructions and data may be built in, which CCR switches on. */
  readonly hasCaches: boolean;
  /** Document and section of each of the above. */
  readonly source: string;
}

export interface Core extends CoreFacts {
  readonly name: CoreName;
  readonly fpu: Fpu;
  /** MVFR0..MVFR2, all 0 without an FPU. */
  readonly mvfr: readonly [number, number, number];
  /** Null: no timing model; cycle counts are not known then. */
  readonly timing: CoreTiming | null;
  /** What instructions cost; without a timing model one tick each. */
  readonly pipeline: Pipeline;
}

const WORD_BYTES = 4;

const fpuOf: Readonly<Record<Board['fpu'], Fpu>> = {
  none: 'none',
  'fpv4-sp-d16': 'fpv4-sp',
  'fpv5-sp-d16': 'fpv5-sp',
  'fpv5-d16': 'fpv5-dp',
};

/** M0 and M23 have no public cycle table with enough detail to be exact. */
const timings: Readonly<Record<CoreName, CoreTiming | null>> = {
  'cortex-m0': null,
  'cortex-m0plus': cortexM0plusTiming,
  'cortex-m3': cortexM3Timing,
  'cortex-m4': cortexM4Timing,
  'cortex-m7': cortexM7Timing,
  'cortex-m23': null,
  'cortex-m33': cortexM33Timing,
};

/** @param lineWords of a memory that instructions and data are read from through one port; 0: there is none */
function pipelineOf(timing: CoreTiming, core: LiftedCore, lineWords: number): Pipeline {
  switch (timing.stages) {
    case 'two':
      return new TablePipeline(timing);
    case 'three':
      return new ThreeStagePipeline(timing, lineWords);
    case 'three-paired':
      return new PairedPipeline(timing, core);
    default:
      return new SuperscalarPipeline(timing, core);
  }
}

/** The board's core with the FPU the board's part has. */
export function coreOf(board: Pick<Board, 'core' | 'fpu' | 'multiplier'> & Partial<Pick<Board, 'timing'>>): Core {
  const fpu = fpuOf[board.fpu];
  const table = timings[board.core];
  const timing = table !== null && board.multiplier === 'iterative' ? withIterativeMultiplier(table) : table;
  const lineWords = (board.timing?.shared?.lineBytes ?? 0) / WORD_BYTES;
  return {
    ...cores[board.core],
    name: board.core,
    fpu,
    mvfr: featureRegisters[fpu],
    timing,
    pipeline:
      timing === null
        ? tickPipeline
        : pipelineOf(timing, { architecture: cores[board.core].architecture, fpu }, lineWords),
  };
}

/** Armv7-M or Armv8-M Mainline: 32-bit Thumb, IT, configurable faults, BASEPRI and FAULTMASK, unaligned accesses. */
export const isMainline = ({ architecture }: Pick<CoreFacts, 'architecture'>): boolean =>
  architecture === 'v7-m' || architecture === 'v8-m.main';

export const isV8 = ({ architecture }: Pick<CoreFacts, 'architecture'>): boolean =>
  architecture === 'v8-m.base' || architecture === 'v8-m.main';

export const hasDoublePrecision = ({ fpu }: Pick<Core, 'fpu'>): boolean => fpu === 'fpv5-dp';
