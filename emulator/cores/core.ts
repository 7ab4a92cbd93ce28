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
import type { CoreName, CoreWithFpu, Fpu } from './core-facts.ts';
import { cores, featureRegisters } from './cores.ts';

export interface Core extends CoreWithFpu {
  readonly name: CoreName;
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
