/** Reads layer errors as a debugger would: which layer goes wrong first, why, and what to try. */
import type { LayerError } from './layers.ts';

/** Below this a layer's noise shows in decisions; int8 layers that are in order give 20 to 40 dB. [choice] */
export const SQNR_MIN_DB = 20;
/** A share of clipped values from which clipping is what is wrong: one in a thousand. */
const CLIPPED_MAX = 1e-3;
/** Integers that hold so many times what the layer gives waste more than two bits. */
const WASTE_MAX = 4;
/** A layer that loses so much more than the one before is itself the cause. */
const LOSS_MIN_DB = 6;

export type Cause = 'clipped' | 'coarse' | 'weights' | 'accumulated';

export interface Diagnosis {
  /** Null: every layer is above SQNR_MIN_DB. */
  readonly first: LayerError | null;
  readonly cause: Cause | null;
  readonly fix: string;
}

export interface Circumstances {
  readonly isDynamic: boolean;
  readonly isPerChannel: boolean;
}

/** Layers in execution order, against the float model. An exact layer has no SQNR and is in order. */
export function diagnose(layers: readonly LayerError[], at: Circumstances): Diagnosis {
  const index = layers.findIndex(({ sqnrDb }) => sqnrDb !== null && sqnrDb < SQNR_MIN_DB);
  const first = layers[index];
  if (first === undefined) return { first: null, cause: null, fix: 'nothing to fix' };
  const before = layers[index - 1]?.sqnrDb ?? Infinity;
  const cause = causeOf(first, before);
  return { first, cause, fix: fixFor(cause, at) };
}

function causeOf(layer: LayerError, before: number): Cause {
  if (layer.clippedShare > CLIPPED_MAX) return 'clipped';
  const [held, given] = [layer.rangeMax - layer.rangeMin, layer.floatMax - Math.min(0, layer.floatMin)];
  if (held > WASTE_MAX * given) return 'coarse';
  return before - (layer.sqnrDb ?? 0) > LOSS_MIN_DB ? 'weights' : 'accumulated';
}

function fixFor(cause: Cause, { isDynamic, isPerChannel }: Circumstances): string {
  switch (cause) {
    case 'clipped':
      return isDynamic
        ? 'the input is clipped before it reaches the model: give its own scale with every sample'
        : 'calibrate with samples as loud as these, or --method min-max, or --scheme dynamic-asym';
    case 'coarse':
      return isDynamic
        ? 'one value sets the scale of all: --equalize, or --scheme static --method mse'
        : 'outliers or louder calibration data set the scale: --method percentile or mse, or --scheme dynamic-asym';
    case 'weights':
      return isPerChannel
        ? "the layer's own weights lose it: --equalize, --rounding sequential, or 16 bits for it and the next (--layer)"
        : 'one scale for all filters loses it: --granularity channel, or --equalize';
    case 'accumulated':
      return 'noise of the layers before adds up: --rounding sequential, or --activations 16';
  }
}
