/**
 * Static post-training quantization, float Graph to int8 or int16x8 Graph, as TFLite's converter does it (number-format.ts; Jacob et
 * al., arXiv 1712.05877): activations from calibrated ranges, symmetric weights, per output channel for convolutions and per tensor for
 * FULLY_CONNECTED, biases at scale input * weight. Inputs and outputs of the graph are quantized too.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import {
  tensorOf,
  type Graph,
  type Op,
  type OpKind,
  type Quantization,
  type Tensor,
  type TensorId,
} from '../../firmware-gen/ir/graph.ts';
import { INT32_MAX, roundHalfAwayFromZero } from '../../firmware-gen/ir/quantized-math.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import type { ActivationRange, ActivationRanges } from './calibrate.ts';
import { correctedBias, type ChannelMeans } from './correct-bias.ts';
import { int8Format, SCALE_MIN, type ActivationFormat } from './number-format.ts';
import { constantOf, floatsOf, isWeighted, withFloats, type WeightedOp } from './weights.ts';

/** Kernels that move or compare raw values: inputs and outputs must share one scale and zero point. */
const SHARED_QUANTIZATION: ReadonlySet<OpKind> = new Set([
  ...(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'MAXIMUM', 'MINIMUM', 'CONCATENATION', 'PAD', 'RESHAPE', 'SQUEEZE'] as const),
  ...(['EXPAND_DIMS', 'STRIDED_SLICE', 'TRANSPOSE', 'SPLIT', 'RESIZE_NEAREST_NEIGHBOR'] as const),
]);

/** Dimension of the filter that indexes output channels; FULLY_CONNECTED keeps one scale. */
const PER_CHANNEL_AXIS: Partial<Record<OpKind, number>> = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3 };

/** Integers of a filter, in its layout, given its scales by slice of `axis` (null: one scale). */
export type RoundFilter = (op: WeightedOp, values: Float32Array, scaleOf: (i: number) => number) => Int8Array;

export interface QuantizeOptions {
  readonly format: ActivationFormat;
  /** Scales of convolution filters: one per output channel, or one for the whole filter. */
  readonly granularity: 'channel' | 'tensor';
  /** How weights become integers; default: to nearest. */
  readonly round?: RoundFilter;
  /** Mean inputs of the layers; when given, biases make up for what rounding did to the mean. */
  readonly means?: ChannelMeans | null;
  /** Bits of weights; 16 only beside int16 activations, and rounded to nearest. */
  readonly weights?: 8 | 16;
  /** Only some ops will be used: those that the format cannot express are no mistake. */
  readonly isPart?: boolean;
}

const DEFAULTS: QuantizeOptions = { format: int8Format, granularity: 'channel' };

/**
 * `graph` is float32 throughout, `ranges` covers its inputs and op outputs (calibrate). Throws a plain Error for a graph that is not,
 * UserError for one that TFLite's format cannot express.
 */
export function quantizeGraph(graph: Graph, ranges: ActivationRanges, options: QuantizeOptions = DEFAULTS): Graph {
  const { format } = options;
  const constants = new Map<TensorId, Tensor>();
  const activations = activationQuantization(graph, withConstantOperands(graph, ranges), format);
  const keep = (tensor: Tensor): void => {
    assert(!constants.has(tensor.id), `constant "${tensor.name}" has two users, which the quantizer does not support`);
    constants.set(tensor.id, tensor);
  };
  for (const op of graph.ops) {
    if (!isWeighted(op)) continue;
    const input = defined(
      activations.get(defined(op.inputs[0], 'data input')),
      `quantization of op ${op.index}'s input`,
    );
    const filter = layerFilter(graph, op, options);
    keep(filter);
    if (op.inputs[2] === null || op.inputs[2] === undefined) continue;
    const bias = layerBias(graph, op, filter, options.means ?? null);
    keep(quantizeBias(bias, input, defined(filter.quantization, 'filter scale'), format));
  }
  const quantized: Graph = {
    ...graph,
    tensors: graph.tensors.map((tensor) => {
      const quantization = activations.get(tensor.id);
      if (!quantization) return defined(constants.get(tensor.id), `quantized form of "${tensor.name}"`);
      const data = tensor.data === null ? null : quantizeData(floatsOf(tensor), quantization, format);
      return { ...tensor, dtype: format.dtype, quantization, data };
    }),
    ops: graph.ops.map((op) => quantizeAttributes(op, activations, format)),
  };
  if (options.isPart !== true) verify(quantized);
  return quantized;
}

function layerFilter(graph: Graph, op: WeightedOp, { granularity, round, weights = 8 }: QuantizeOptions): Tensor {
  const axis = granularity === 'channel' ? (PER_CHANNEL_AXIS[op.kind] ?? null) : null;
  if (weights === 16) return quantizeFilter(constantOf(graph, op, 1), axis, nearest16, INT16_MAX);
  return quantizeFilter(constantOf(graph, op, 1), axis, round && ((values, scaleOf) => round(op, values, scaleOf)));
}

function layerBias(graph: Graph, op: WeightedOp, filter: Tensor, means: ChannelMeans | null): Tensor {
  const bias = constantOf(graph, op, 2);
  if (means === null) return bias;
  return withFloats(bias, correctedBias(graph, op, dequantizedFilter(filter), means));
}

/** Real values of a quantized filter. */
export function dequantizedFilter(filter: Tensor): Float32Array {
  const { scale, axis } = defined(filter.quantization, 'filter scale');
  const inner = filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const { buffer } = defined(filter.data, 'filter data').slice();
  const integers = filter.dtype === 'int16' ? new Int16Array(buffer) : new Int8Array(buffer);
  return Float32Array.from(
    integers,
    (q, i) => q * scale[scale.length === 1 ? 0 : Math.floor(i / inner) % scale.length]!,
  );
}

/** Constant operands of ADD, MUL and the like are quantized as activations, over their own values. */
function withConstantOperands(graph: Graph, ranges: ActivationRanges): ActivationRanges {
  const all = new Map(ranges);
  for (const op of graph.ops) {
    for (const id of isWeighted(op) ? [] : op.inputs) {
      if (id === null || tensorOf(graph, id).data === null) continue;
      const values = floatsOf(tensorOf(graph, id));
      all.set(id, { min: values.reduce((a, b) => Math.min(a, b)), max: values.reduce((a, b) => Math.max(a, b)) });
    }
  }
  return all;
}

function quantizeData(
  values: Float32Array,
  { scale, zeroPoint }: Quantization,
  { dtype, min, max }: ActivationFormat,
): Uint8Array {
  const steps = Array.from(values, (value) =>
    Math.min(max, Math.max(min, roundHalfAwayFromZero(value / scale[0]!) + zeroPoint[0]!)),
  );
  return new Uint8Array((dtype === 'int8' ? Int8Array.from(steps) : Int16Array.from(steps)).buffer);
}

function quantizeAttributes(
  op: Op,
  activations: ReadonlyMap<TensorId, Quantization>,
  { min, max }: ActivationFormat,
): Op {
  if (op.kind !== 'PAD') return op;
  const { scale, zeroPoint } = defined(activations.get(op.outputs[0]!), `quantization of op ${op.index}'s output`);
  const value = roundHalfAwayFromZero(op.padValue / scale[0]!) + zeroPoint[0]!;
  return { ...op, padValue: Math.min(max, Math.max(min, value)) };
}

/** Quantization of every activation: calibrated, joined where kernels require one for several tensors, or fixed by the op. */
function activationQuantization(
  graph: Graph,
  ranges: ActivationRanges,
  format: ActivationFormat,
): Map<TensorId, Quantization> {
  const group = sharedGroups(graph);
  const merged = new Map<TensorId, ActivationRange>();
  for (const [id, range] of ranges) {
    const known = merged.get(group(id)) ?? range;
    merged.set(group(id), { min: Math.min(known.min, range.min), max: Math.max(known.max, range.max) });
  }
  const result = new Map(
    [...ranges.keys()].map((id) => [id, format.quantizationFor(defined(merged.get(group(id)), 'range'))]),
  );
  const fixed = new Map<TensorId, Quantization>();
  for (const op of graph.ops) {
    const quantization = format.fixedOutput[op.kind];
    if (!quantization) continue;
    const known = fixed.get(group(op.outputs[0]!)) ?? quantization;
    if (known.scale[0] !== quantization.scale[0]) {
      throw new UserError(
        `op ${op.index} ${op.kind}: its output has a scale that TFLite fixes, and is joined with one fixed otherwise; keep such outputs apart`,
      );
    }
    fixed.set(group(op.outputs[0]!), quantization);
  }
  for (const id of result.keys()) {
    const quantization = fixed.get(group(id));
    if (quantization) result.set(id, quantization);
  }
  return result;
}

/** Maps a tensor to the representative of those that must share its quantization (disjoint sets). */
function sharedGroups(graph: Graph): (id: TensorId) => TensorId {
  const parent = new Map<TensorId, TensorId>();
  const find = (id: TensorId): TensorId => {
    const up = parent.get(id);
    return up === undefined ? id : find(up);
  };
  for (const op of graph.ops) {
    if (!SHARED_QUANTIZATION.has(op.kind)) continue;
    const [first, ...rest] = [...op.outputs, ...op.inputs].filter((id) => id !== null);
    for (const id of rest) if (find(id) !== find(first!)) parent.set(find(id), find(first!));
  }
  return find;
}

/** Symmetric, int8 in -127..127 or int16; `axis` null: one scale for the whole filter. @param largest integer used, 127 or 32767 */
export function quantizeFilter(
  filter: Tensor,
  axis: number | null,
  round: (values: Float32Array, scaleOf: (i: number) => number) => Int8Array | Int16Array = nearest,
  largestInteger = INT8_MAX,
): Tensor {
  const values = floatsOf(filter);
  const slices = axis === null ? 1 : filter.shape[axis]!;
  const inner = axis === null ? values.length : filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const sliceOf = (i: number): number => Math.floor(i / inner) % slices;
  const largest = new Array<number>(slices).fill(0);
  for (const [i, value] of values.entries()) largest[sliceOf(i)] = Math.max(largest[sliceOf(i)]!, Math.abs(value));
  const scale = largest.map((value) => Math.fround(Math.max(value / largestInteger, SCALE_MIN)));
  const data = round(values, (i) => scale[sliceOf(i)]!);
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis: axis ?? 0 };
  return {
    ...filter,
    dtype: data instanceof Int16Array ? 'int16' : 'int8',
    quantization,
    data: new Uint8Array(data.buffer),
  };
}

const [INT8_MAX, INT16_MAX] = [127, 32767];

function nearest16(values: Float32Array, scaleOf: (i: number) => number): Int16Array {
  return Int16Array.from(values, (value, i) =>
    Math.min(INT16_MAX, Math.max(-INT16_MAX, roundHalfAwayFromZero(value / scaleOf(i)))),
  );
}

function nearest(values: Float32Array, scaleOf: (i: number) => number): Int8Array {
  return Int8Array.from(values, (value, i) => Math.min(127, Math.max(-127, roundHalfAwayFromZero(value / scaleOf(i)))));
}

/** At scale input * filter, per channel as the filter is; int32 beside int8 activations, int64 beside int16. */
export function quantizeBias(
  bias: Tensor,
  input: Quantization,
  filter: Quantization,
  { biasType }: Pick<ActivationFormat, 'biasType'> = int8Format,
): Tensor {
  const scale = filter.scale.map((value) => Math.fround(input.scale[0]! * value));
  const scaleOf = (i: number): number => scale[scale.length === 1 ? 0 : i]!;
  // A channel whose weights are all (nearly) zero has a tiny scale; its bias cannot grow past its type, nor past the 48 bits that
  // int16 kernels accumulate in.
  const limit = biasType === 'int32' ? INT32_MAX : 2 ** 47 - 1;
  const integers = Array.from(floatsOf(bias), (value, i) =>
    Math.min(limit, Math.max(-limit, roundHalfAwayFromZero(value / scaleOf(i)))),
  );
  const data = biasType === 'int32' ? Int32Array.from(integers) : BigInt64Array.from(integers, BigInt);
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  return { ...bias, dtype: biasType, quantization, data: new Uint8Array(data.buffer) };
}
