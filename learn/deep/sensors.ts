/** How a sensor's raw windows become what the float encoder sees, and the integer front end that does the same on the device. */
import { defined, UserError } from '../../common/errors.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import type { CepstraParams, SystemFrontEnd } from '../../firmware-gen/ir/system.ts';
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

/** Counts of cepstra (Q7) per bit. */
export const CEPSTRA_UNIT = 128;

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
      const { scale, zeroPoint } = quantizationOf(encoder, 0);
      const channels = Array.from({ length: coefficients }, (_, c) =>
        standardiseChannel(CEPSTRA_UNIT * mean[c]!, 1 / (CEPSTRA_UNIT * deviation[c]! * scale)),
      );
      return { kind: 'mfcc', cepstra, channels, zeroPoint };
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

/** A Q15 value of 1 is 32767 counts. */
const UNIT = 1 / 32767;

function systemFrontEnd(frontEnd: FrontEnd, encoder: Graph, rawScale: readonly number[]): SystemFrontEnd {
  const first = quantizationOf(encoder, 0);
  if (frontEnd.kind === 'raw') {
    const channels = rawScale.map((unit, c) => standardiseChannel(0, unit / MOTION_SCALE[c]! / first.scale));
    return { kind: 'raw', channels, zeroPoint: first.zeroPoint };
  }
  if (frontEnd.kind !== 'image')
    throw new UserError(`front end "${frontEnd.kind}" cannot be deployed; use raw or image`);
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
