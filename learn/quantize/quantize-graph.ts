/**
 * Static int8 post-training quantization, float Graph to int8 Graph, as TFLite's converter does it (tensorflow.org/lite "8-bit quantization
 * specification"; Jacob et al., arXiv 1712.05877): asymmetric activations from calibrated ranges, symmetric weights, per output channel
 * for convolutions and per tensor for FULLY_CONNECTED, int32 biases at scale input * weight. Inputs and outputs of the graph are int8 too.
 */
import { assert, defined } from '../../common/errors.ts';
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

/** Output quantization that TFLite fixes, whatever the calibration saw. */
const FIXED_OUTPUT: Partial<Record<OpKind, Quantization>> = {
  SOFTMAX: { scale: [1 / 256], zeroPoint: [-128], axis: 0 },
  LOGISTIC: { scale: [1 / 256], zeroPoint: [-128], axis: 0 },
  TANH: { scale: [1 / 128], zeroPoint: [0], axis: 0 },
};

/** Kernels that move or compare raw values: inputs and outputs must share one scale and zero point. */
const SHARED_QUANTIZATION: ReadonlySet<OpKind> = new Set([
  ...(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'MAXIMUM', 'MINIMUM', 'CONCATENATION', 'PAD', 'RESHAPE', 'SQUEEZE'] as const),
  ...(['EXPAND_DIMS', 'STRIDED_SLICE', 'TRANSPOSE', 'SPLIT', 'RESIZE_NEAREST_NEIGHBOR'] as const),
]);

/** Dimension of the filter that indexes output channels; FULLY_CONNECTED keeps one scale. */
const PER_CHANNEL_AXIS: Partial<Record<OpKind, number>> = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3 };

/** Smallest scale handed out: a tensor that is all zero still needs a positive one. */
const SCALE_MIN = 2 ** -40;

/** `graph` is float32 throughout, `ranges` covers its inputs and op outputs (calibrate). Throws a plain Error for a graph that is not. */
export function quantizeGraph(graph: Graph, ranges: ActivationRanges): Graph {
  const activations = activationQuantization(graph, ranges);
  const constants = new Map<TensorId, Tensor>();
  const keep = (tensor: Tensor): void => {
    assert(!constants.has(tensor.id), `constant "${tensor.name}" has two users, which the quantizer does not support`);
    constants.set(tensor.id, tensor);
  };
  for (const op of graph.ops) {
    const [filterId, biasId] = weightOperands(op);
    if (filterId === null) continue;
    const input = defined(
      activations.get(defined(op.inputs[0], 'data input')),
      `quantization of op ${op.index}'s input`,
    );
    const filter = quantizeFilter(tensorOf(graph, filterId), PER_CHANNEL_AXIS[op.kind] ?? null);
    keep(filter);
    if (biasId !== null)
      keep(quantizeBias(tensorOf(graph, biasId), input, defined(filter.quantization, 'filter scale')));
  }
  const quantized: Graph = {
    ...graph,
    tensors: graph.tensors.map((tensor) => {
      const quantization = activations.get(tensor.id);
      if (quantization) return { ...tensor, dtype: 'int8', quantization };
      return defined(constants.get(tensor.id), `quantized form of "${tensor.name}"`);
    }),
    ops: graph.ops.map((op) => quantizeAttributes(op, activations)),
  };
  verify(quantized);
  return quantized;
}

function weightOperands(op: Op): readonly [TensorId | null, TensorId | null] {
  if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D' && op.kind !== 'FULLY_CONNECTED') return [null, null];
  return [op.inputs[1] ?? null, op.inputs[2] ?? null];
}

function quantizeAttributes(op: Op, activations: ReadonlyMap<TensorId, Quantization>): Op {
  if (op.kind !== 'PAD') return op;
  const { scale, zeroPoint } = defined(activations.get(op.outputs[0]!), `quantization of op ${op.index}'s output`);
  return { ...op, padValue: clampInt8(roundHalfAwayFromZero(op.padValue / scale[0]!) + zeroPoint[0]!) };
}

/** Quantization of every activation: calibrated, joined where kernels require one for several tensors, or fixed by the op. */
function activationQuantization(graph: Graph, ranges: ActivationRanges): Map<TensorId, Quantization> {
  const group = sharedGroups(graph);
  const merged = new Map<TensorId, ActivationRange>();
  for (const [id, range] of ranges) {
    const known = merged.get(group(id)) ?? range;
    merged.set(group(id), { min: Math.min(known.min, range.min), max: Math.max(known.max, range.max) });
  }
  const result = new Map(
    [...ranges.keys()].map((id) => [id, quantizationFor(defined(merged.get(group(id)), 'range'))]),
  );
  const fixed = new Map<TensorId, Quantization>();
  for (const op of graph.ops) {
    const quantization = FIXED_OUTPUT[op.kind];
    if (quantization) fixed.set(group(op.outputs[0]!), quantization);
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

/** int8, asymmetric: the range is widened to hold 0 exactly, and spread over -128..127. */
export function quantizationFor({ min, max }: ActivationRange): Quantization {
  assert(Number.isFinite(min) && Number.isFinite(max) && min <= max, `range ${min}..${max} of an activation`);
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround(Math.max((high - low) / 255, SCALE_MIN));
  return { scale: [scale], zeroPoint: [clampInt8(roundHalfAwayFromZero(-128 - low / scale))], axis: 0 };
}

/** int8, symmetric, in -127..127; `axis` null: one scale for the whole filter. */
export function quantizeFilter(filter: Tensor, axis: number | null): Tensor {
  const values = floatsOf(filter);
  const slices = axis === null ? 1 : filter.shape[axis]!;
  const inner = axis === null ? values.length : filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const sliceOf = (i: number): number => Math.floor(i / inner) % slices;
  const largest = new Array<number>(slices).fill(0);
  for (const [i, value] of values.entries()) largest[sliceOf(i)] = Math.max(largest[sliceOf(i)]!, Math.abs(value));
  const scale = largest.map((value) => Math.fround(Math.max(value / 127, SCALE_MIN)));
  const data = Int8Array.from(values, (value, i) =>
    Math.min(127, Math.max(-127, roundHalfAwayFromZero(value / scale[sliceOf(i)]!))),
  );
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis: axis ?? 0 };
  return { ...filter, dtype: 'int8', quantization, data: new Uint8Array(data.buffer) };
}

/** int32 at scale input * filter, per channel as the filter is. */
export function quantizeBias(bias: Tensor, input: Quantization, filter: Quantization): Tensor {
  const scale = filter.scale.map((value) => Math.fround(input.scale[0]! * value));
  const scaleOf = (i: number): number => scale[scale.length === 1 ? 0 : i]!;
  const data = Int32Array.from(floatsOf(bias), (value, i) => {
    const q = roundHalfAwayFromZero(value / scaleOf(i));
    // A channel whose weights are all (nearly) zero has a tiny scale; its bias cannot grow past int32.
    return Math.min(INT32_MAX, Math.max(-INT32_MAX, q));
  });
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  return { ...bias, dtype: 'int32', quantization, data: new Uint8Array(data.buffer) };
}

function floatsOf(tensor: Tensor): Float32Array {
  const data = defined(tensor.data, `data of "${tensor.name}"`);
  assert(tensor.dtype === 'float32', `"${tensor.name}" is ${tensor.dtype}, the quantizer takes float32`);
  return new Float32Array(data.slice().buffer);
}

function clampInt8(value: number): number {
  return Math.min(127, Math.max(-128, value));
}
