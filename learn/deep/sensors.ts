/** How a sensor's raw windows become what the float encoder sees, and the integer front end that does the same on the device. */
import { defined, UserError } from '../../common/errors.ts';
import type { QuantizedMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { CEPSTRA_FRACTION_BITS } from '../../firmware-gen/ir/sound-tables.ts';
import type { CepstraParams, StandardiseChannel, SystemFrontEnd } from '../../firmware-gen/ir/system.ts';
import { standardiseChannel } from '../../firmware-gen/reference/signal/motion.ts';
import type { FrontEnd } from './config.ts';
import { MOTION_SCALE, columnAndRow, standardiseMotion } from './motion-source.ts';

export interface Sensor {
  /** Inputs of the float encoder for a window of the stream, int16 [frames, channels]. */
  floats(window: Int16Array): Float32Array[];
  /** @param encoder quantized */
  frontEnd(encoder: Graph): SystemFrontEnd;
}

/** @param rawScale physical unit per count of each channel */
export function motionSensor(frontEnd: FrontEnd, rawScale: readonly number[]): Sensor {
  return {
    floats: (window) => encoderFloats(standardiseMotion(window, rawScale), frontEnd),
    frontEnd: (encoder) => systemFrontEnd(frontEnd, encoder, rawScale),
  };
}

/** Of cepstra, by coefficient, in bits of log energy. */
export interface Standardisation {
  readonly mean: ArrayLike<number>;
  readonly deviation: ArrayLike<number>;
}

/** Counts of cepstra per bit. */
export const CEPSTRA_UNIT = 2 ** CEPSTRA_FRACTION_BITS;

export function soundSensor(params: CepstraParams, { mean, deviation }: Standardisation): Sensor {
  const { sampleRateHz, frameSamples, hopSamples, mels, coefficients } = params;
  const cepstra = { sampleRateHz, frameSamples, hopSamples, mels, coefficients };
  return {
    floats: (window) => [
      Float32Array.from(
        window,
        (value, i) => (value / CEPSTRA_UNIT - mean[i % coefficients]!) / deviation[i % coefficients]!,
      ),
    ],
    frontEnd: (encoder) => {
      const steps = Array.from({ length: coefficients }, (_, c) => ({
        mean: CEPSTRA_UNIT * mean[c]!,
        step: 1 / (CEPSTRA_UNIT * deviation[c]!),
      }));
      return { kind: 'mfcc', cepstra, ...standardisedWindow(encoder, steps) };
    },
  };
}

/** Inputs of the float encoder for a standardised window. */
function encoderFloats(window: Float32Array, frontEnd: FrontEnd): Float32Array[] {
  if (frontEnd.kind !== 'image') return [window];
  const { column, row } = columnAndRow(window, frontEnd);
  return [column, row];
}

function quantizationOf(graph: Graph, index: number): { scale: number; zeroPoint: number } {
  const { scale, zeroPoint } = defined(tensorOf(graph, graph.inputs[index]!).quantization, 'quantization of an input');
  return { scale: scale[0]!, zeroPoint: zeroPoint[0]! || 0 };
}

interface StandardisedWindow {
  readonly channels: readonly StandardiseChannel[];
  readonly zeroPoint: number;
  readonly unit?: QuantizedMultiplier;
}

/** @param channels mean in counts, real step of a count */
function standardisedWindow(
  encoder: Graph,
  channels: readonly { readonly mean: number; readonly step: number }[],
): StandardisedWindow {
  const inUnitsOf = (unit: number): StandardiseChannel[] =>
    channels.map(({ mean, step }) => standardiseChannel(mean, step / unit));
  if (!encoder.dynamics) {
    const { scale, zeroPoint } = quantizationOf(encoder, 0);
    return { channels: inUnitsOf(scale), zeroPoint };
  }
  // The finest power of two of which a count is less than 256.
  const exponent = Math.floor(Math.log2(Math.max(...channels.map(({ step }) => step)))) - 7;
  return { channels: inUnitsOf(2 ** exponent), zeroPoint: 0, unit: { multiplier: 2 ** 30, shift: exponent + 1 } };
}

/** A Q15 value of 1 is 32767 counts. */
const UNIT = 1 / 32767;

function systemFrontEnd(frontEnd: FrontEnd, encoder: Graph, rawScale: readonly number[]): SystemFrontEnd {
  if (frontEnd.kind === 'raw') {
    const steps = rawScale.map((unit, c) => ({ mean: 0, step: unit / MOTION_SCALE[c]! }));
    return { kind: 'raw', ...standardisedWindow(encoder, steps) };
  }
  if (frontEnd.kind !== 'image')
    throw new UserError(`front end "${frontEnd.kind}" cannot be deployed; use raw or image`);
  const first = quantizationOf(encoder, 0);
  const second = quantizationOf(encoder, 1);
  const step = (c: number): number => (frontEnd.omega === 'self' ? UNIT : rawScale[3 + c]! / frontEnd.omegaScale);
  return {
    kind: 'image',
    column: standardiseChannel(0, UNIT / first.scale),
    columnZeroPoint: first.zeroPoint,
    row: [0, 1, 2].map((c) => standardiseChannel(0, step(c) / second.scale)),
    rowZeroPoint: second.zeroPoint,
    rowSource: frontEnd.omega,
  };
}
