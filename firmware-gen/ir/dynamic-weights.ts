/**
 * The constants of a weighted layer in dynamic fixed point, as reference and lowering take them: weights have a scale per channel,
 * multipliers align channels to the largest scale, biases count in steps of weight scale * 2^-exponent.
 */
import { assert, defined } from '../../common/errors.ts';
import { ALIGNED_FRACTION_BITS, DYNAMIC_SUM_LIMIT, runScale, type DynamicScheme, type RunScale } from './dynamic.ts';
import type { DynamicWeightedOp } from './dynamic-ops.ts';
import type { Graph, Op, Tensor } from './graph.ts';
import { tensorOf } from './graph.ts';

export interface AlignedWeights<F = Int8Array> {
  /** As in the model. */
  readonly filter: F;
  readonly channels: number;
  /** Largest weight scale; Q: rounded up to a power of two. */
  readonly scale: RunScale;
  /** 2^30 * channel's scale / largest, 0..2^30. */
  readonly multipliers: Int32Array;
  readonly biases: Int32Array;
  /** Biases count in weight scale * 2^-exponent. */
  readonly exponent: number;
  /** Sum of the channel's weights, and of their magnitudes. */
  readonly sums: Int32Array;
  readonly magnitudes: Int32Array;
}

export function isInt16Op(op: Op, graph: Graph): boolean {
  return tensorOf(graph, defined(op.inputs[0], 'input')).dtype === 'int16';
}

/** Units of an aligned accumulator of one step, beside 2^24: see tl_dynamic.h. */
export const ALIGN_SHIFT = 30 - ALIGNED_FRACTION_BITS;

function channelIndexOf(op: DynamicWeightedOp, filter: Tensor): (i: number) => number {
  const channels = filter.shape[op.kind === 'DEPTHWISE_CONV_2D' ? 3 : 0] ?? 1;
  const inner = filter.shape.slice(1).reduce((a, b) => a * b, 1);
  return op.kind === 'DEPTHWISE_CONV_2D' ? (i) => i % channels : (i) => Math.floor(i / inner);
}

export function schemeOf(op: DynamicWeightedOp): DynamicScheme {
  return defined(op.dynamic, `dynamics of op ${op.index}`).scheme;
}

export function alignedWeights(op: DynamicWeightedOp, graph: Graph): AlignedWeights {
  const weights = anyWeights(op, graph);
  const { filter } = weights;
  assert(filter instanceof Int8Array, `op ${op.index}: filter is int8`);
  return { ...weights, filter };
}

function anyWeights(op: DynamicWeightedOp, graph: Graph): AlignedWeights<Int8Array | Int16Array> {
  const filter = tensorOf(graph, defined(op.inputs[1], 'filter'));
  const bias = tensorOf(graph, defined(op.inputs[2], 'bias'));
  const channels = defined(filter.shape[op.kind === 'DEPTHWISE_CONV_2D' ? 3 : 0], 'channels');
  const { scale: scales } = defined(filter.quantization, `scales of ${filter.name}`);
  const biasScales = defined(bias.quantization, `scales of ${bias.name}`).scale;
  const scaleOf = (list: readonly number[], c: number): number => defined(list[list.length === 1 ? 0 : c], 'scale');
  const largest = runScale(Math.max(...scales), 0, schemeOf(op) === 'q');
  const real = largest.multiplier * 2 ** (largest.shift - 31);
  const exponent = Math.log2(scaleOf(scales, 0) / scaleOf(biasScales, 0));
  assert(Number.isInteger(exponent), `${bias.name}: bias scales are weight scales over a power of two`);
  const { buffer } = defined(filter.data, 'filter data').slice();
  const integers = filter.dtype === 'int16' ? new Int16Array(buffer) : new Int8Array(buffer);
  const [sums, magnitudes] = [new Int32Array(channels), new Int32Array(channels)];
  const channelOf = channelIndexOf(op, filter);
  for (const [i, weight] of integers.entries()) {
    const c = channelOf(i);
    sums[c] = (sums[c] as number) + weight;
    magnitudes[c] = (magnitudes[c] as number) + Math.abs(weight);
  }
  return {
    filter: integers,
    channels,
    scale: largest,
    multipliers: Int32Array.from({ length: channels }, (_, c) => Math.round((2 ** 30 * scaleOf(scales, c)) / real)),
    biases: biasesOf(bias),
    exponent,
    sums,
    magnitudes,
  };
}

/** int64 where TFLite's rules ask for it; dynamic biases fit int32. */
function biasesOf({ name, dtype, data }: Tensor): Int32Array {
  const { buffer } = new Uint8Array(defined(data, 'bias data'));
  if (dtype === 'int32') return new Int32Array(buffer);
  return Int32Array.from(new BigInt64Array(buffer), (bias) => {
    assert(bias === BigInt.asIntN(32, bias), `${name}: a bias leaves int32`);
    return Number(bias);
  });
}

/** A layer of int16 activations, weights of 8 or 16 bits. */
export interface WideWeights extends AlignedWeights<Int8Array | Int16Array> {
  /** Bits by which sums go right (negative: left) before they are aligned: |sum| with its bias stays below 2^sumShift * WIDE_SUM_LIMIT. */
  readonly sumShift: number;
}

/** A shifted and rounded sum fits int32. */
export const WIDE_SUM_LIMIT = 2 ** 31 - 2;
/** Biases may be seven times what weights can make of an input. */
const BIAS_ROOM_BITS = 3;
const INT16_MAGNITUDE = 2 ** 15;

export function wideWeights(op: DynamicWeightedOp, graph: Graph): WideWeights {
  const weights = anyWeights(op, graph);
  const largest = weights.magnitudes.reduce((a, b) => Math.max(a, b), 1) * INT16_MAGNITUDE;
  return { ...weights, sumShift: Math.floor(Math.log2(largest)) + 1 + BIAS_ROOM_BITS - 31 };
}

/** Input scale below which some channel's bias and sum would leave the accumulator; 0 when there are no biases. */
export function leastInputScale(op: DynamicWeightedOp, graph: Graph): number {
  const isWide = isInt16Op(op, graph);
  const { biases, magnitudes, exponent, channels, sumShift } = isWide
    ? wideWeights(op, graph)
    : { ...alignedWeights(op, graph), sumShift: 0 };
  const limit = isWide ? WIDE_SUM_LIMIT * 2 ** sumShift : DYNAMIC_SUM_LIMIT;
  // An int8 minus its zero point.
  const valueMax = isWide ? INT16_MAGNITUDE : 255;
  let least = 0;
  for (let c = 0; c < channels; c += 1) {
    // 2: rounding of the bias.
    const room = limit - 2 - valueMax * (magnitudes[c] as number);
    assert(room > 0, `op ${op.index}: channel ${c} has weights too large for its accumulator`);
    least = Math.max(least, (Math.abs(biases[c] as number) * 2 ** -exponent) / room);
  }
  return least;
}
