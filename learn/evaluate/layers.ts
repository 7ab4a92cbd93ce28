/** Layer by layer, what a quantized graph makes of the float one's activations: signal to quantization noise, clipping, values at the limits. */
import { assert, defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor } from '../../firmware-gen/ir/graph.ts';
import { typeRange } from '../../firmware-gen/ir/quantized-math.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { foldBatchNorm } from '../quantize/fold-batch-norm.ts';
import { withoutNegligibleChannels } from '../quantize/negligible-channels.ts';
import { modelInputs, quantizedTensor, realValues } from '../data/model-input.ts';

export interface LayerError {
  /** Op index in the quantized model. */
  readonly index: number;
  readonly opcode: string;
  readonly tensor: string;
  /** 10 log10(signal / error) over all samples; null when the output is exact or the signal is zero. */
  readonly sqnrDb: number | null;
  /** Range of the float output, and what the integers can hold. */
  readonly floatMin: number;
  readonly floatMax: number;
  readonly rangeMin: number;
  readonly rangeMax: number;
  /** Share of float values that lie more than half a step outside the representable range, 0..1. */
  readonly clippedShare: number;
  /** Values at the type's limits that are not the real zero, over all samples. */
  readonly saturated: number;
  readonly values: number;
}

/** Ops that only change number format; float graphs have none where quantized ones may. */
const FORMAT_OPS: ReadonlySet<Op['kind']> = new Set(['QUANTIZE', 'DEQUANTIZE']);

export interface LayerPair {
  readonly float: Op;
  readonly quantized: Op;
}

/**
 * Layers of two forms of one network, matched in order; null when kinds or shapes say that they are different networks. An activation that
 * only one of them has fused does not hinder.
 */
export function matchLayers(float: Graph, quantized: Graph): readonly LayerPair[] | null {
  const [a, b] = [float, quantized].map(({ ops }) => ops.filter(({ kind }) => !FORMAT_OPS.has(kind)));
  assert(a && b, 'two lists');
  if (a.length !== b.length) return null;
  const pairs = a.map((op, i) => ({ float: op, quantized: b[i]! }));
  const same = pairs.every((pair) => {
    const shapes = [tensorOf(float, pair.float.outputs[0]!), tensorOf(quantized, pair.quantized.outputs[0]!)];
    return pair.float.kind === pair.quantized.kind && shapes[0]!.shape.join() === shapes[1]!.shape.join();
  });
  return same ? pairs : null;
}

class Totals {
  signal = 0;
  noise = 0;
  min = Infinity;
  max = -Infinity;
  clipped = 0;
  saturated = 0;
  values = 0;
  /** What the integers hold: the widest over the frames, where scales are found at run time. */
  rangeMin = Infinity;
  rangeMax = -Infinity;

  add(expected: Float32Array, actual: Float32Array, range: Representable): void {
    const half = (range.step ?? 0) / 2;
    this.rangeMin = Math.min(this.rangeMin, range.min);
    this.rangeMax = Math.max(this.rangeMax, range.max);
    for (const [i, value] of expected.entries()) {
      this.signal += value * value;
      this.noise += (value - actual[i]!) ** 2;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      if (value < range.min - half || value > range.max + half) this.clipped += 1;
      const q = actual[i]!;
      if (q !== 0 && (q <= range.min || q >= range.max)) this.saturated += 1;
    }
    this.values += expected.length;
  }
}

interface Representable {
  readonly min: number;
  readonly max: number;
  readonly step: number | null;
}

/** Real values that a tensor's integers reach. */
function representable({ dtype, quantization }: Tensor): Representable {
  if (dtype === 'float32' || quantization === null) return { min: -Infinity, max: Infinity, step: null };
  const { min, max } = typeRange(dtype);
  const [scale, zeroPoint] = [Math.fround(quantization.scale[0]!), quantization.zeroPoint[0]!];
  return { min: Math.fround(scale * (min - zeroPoint)), max: Math.fround(scale * (max - zeroPoint)), step: scale };
}

/** As layerErrors, against the first form of the float graph that has the quantized one's layers: as it is, folded, without what `quantize` removes. */
export function layerErrorsOfForms(
  float: Graph,
  quantized: Graph,
  samples: readonly Float32Array[],
): LayerError[] | null {
  const direct = layerErrors(float, quantized, samples);
  if (direct !== null) return direct;
  const folded = foldBatchNorm(float);
  return (
    layerErrors(folded, quantized, samples) ?? layerErrors(withoutNegligibleChannels(folded).graph, quantized, samples)
  );
}

/** Runs both graphs on `samples` (real inputs). Null when their layers do not match. */
export function layerErrors(float: Graph, quantized: Graph, samples: readonly Float32Array[]): LayerError[] | null {
  const pairs = matchLayers(float, quantized);
  if (pairs === null) return null;
  const [floatRun, quantizedRun] = [createReference(float), createReference(quantized)];
  const outputs = pairs.map(({ quantized: op }) => tensorOf(quantized, op.outputs[0]!));
  const totals = pairs.map(() => new Totals());
  const positions = pairs.map(
    (pair) => [float.ops.indexOf(pair.float), quantized.ops.indexOf(pair.quantized)] as const,
  );
  for (const sample of samples) {
    const expected = floatRun.run(modelInputs(float, sample)).opOutputs;
    const fed = modelInputs(quantized, sample);
    const run = quantizedRun.run(fed);
    for (const [i, [at, quantizedAt]] of positions.entries()) {
      const tensor = quantizedTensor(quantized, outputs[i]!.id, run, fed);
      const real = realValues(tensor, defined(run.opOutputs[quantizedAt], 'op output'));
      totals[i]!.add(new Float32Array(defined(expected[at], 'op output').slice().buffer), real, representable(tensor));
    }
  }
  return pairs.map(({ quantized: op }, i) => {
    const { signal, noise, min, max, clipped, saturated, values, rangeMin, rangeMax } = totals[i]!;
    return {
      index: op.index,
      opcode: op.kind,
      tensor: outputs[i]!.name,
      sqnrDb: noise === 0 || signal === 0 ? null : 10 * Math.log10(signal / noise),
      floatMin: min,
      floatMax: max,
      rangeMin,
      rangeMax,
      clippedShare: clipped / values,
      saturated,
      values,
    };
  });
}
