/**
 * Which channels of a network always hold the same value, whatever the input: training with batch normalisation leaves many whose
 * weights quantize to zero. Found structurally (no weight reaches a varying channel), their values by the reference kernels themselves.
 */
import { defined } from '../../common/errors.ts';
import type { Graph, Op, Tensor, TensorId } from '../ir/graph.ts';
import { elementCount, tensorOf } from '../ir/graph.ts';
import { runReference } from '../reference/index.ts';

/** Channel -> its value at every position, as the tensor stores it. */
export type ConstantChannels = ReadonlyMap<number, number>;

const NONE: ConstantChannels = new Map();

/** Of the networks this applies to. Float ones: exact zeros only, see learn/quantize/negligible-channels.ts. */
export type ChannelType = 'int8' | 'float32';

/** Constant channels of every [N, H, W, C] activation of that type that a convolution or pool makes. */
export function findConstantChannels(graph: Graph, dtype: ChannelType): ReadonlyMap<TensorId, ConstantChannels> {
  const found = new Map<TensorId, ConstantChannels>();
  for (const op of graph.ops) {
    const [input] = op.inputs;
    const [output] = op.outputs;
    if (input === undefined || input === null || output === undefined || !isImage(tensorOf(graph, output), dtype))
      continue;
    const known = found.get(input) ?? NONE;
    const independent = independentChannels(op, graph, known);
    if (independent.length > 0) found.set(output, evaluate(op, graph, known, independent));
  }
  return found;
}

export function isImage(tensor: Tensor, dtype: ChannelType): boolean {
  return tensor.dtype === dtype && tensor.shape.length === 4 && tensor.data === null;
}

/** Output channels that no varying input channel reaches. */
function independentChannels(op: Op, graph: Graph, known: ConstantChannels): number[] {
  const channels = tensorOf(graph, defined(op.outputs[0], 'output')).shape[3] ?? 0;
  const all = Array.from({ length: channels }, (_, channel) => channel);
  switch (op.kind) {
    case 'CONV_2D':
      return all.filter((channel) => !convDepends(op, graph, known, channel));
    case 'DEPTHWISE_CONV_2D':
      return all.filter((channel) => !depthwiseDepends(op, graph, known, channel));
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return all.filter((channel) => known.has(channel));
    default:
      return [];
  }
}

/** Weights of a constant filter, or null when they are neither float nor plain symmetric int8. */
export function symmetricFilter(op: Op, graph: Graph): { tensor: Tensor; weights: Int8Array | Float32Array } | null {
  const id = op.inputs[1];
  if (id === undefined || id === null) return null;
  const tensor = tensorOf(graph, id);
  const { data, quantization } = tensor;
  if (tensor.dtype === 'float32' && data !== null) return { tensor, weights: new Float32Array(data.slice().buffer) };
  if (tensor.dtype !== 'int8' || data === null || !quantization?.zeroPoint.every((zero) => zero === 0)) return null;
  return { tensor, weights: new Int8Array(data.buffer, data.byteOffset, data.length) };
}

function convDepends(op: Op, graph: Graph, known: ConstantChannels, channel: number): boolean {
  const filter = symmetricFilter(op, graph);
  const depth = tensorOf(graph, defined(op.inputs[0], 'input')).shape[3];
  if (!filter || filter.tensor.shape[3] !== depth || depth === undefined) return true;
  const taps = elementCount(filter.tensor.shape.slice(1));
  const row = filter.weights.subarray(channel * taps, (channel + 1) * taps);
  return row.some((weight: number, tap: number) => weight !== 0 && !known.has(tap % depth));
}

function depthwiseDepends(
  op: Op & { readonly kind: 'DEPTHWISE_CONV_2D' },
  graph: Graph,
  known: ConstantChannels,
  channel: number,
): boolean {
  const filter = symmetricFilter(op, graph);
  if (!filter) return true;
  if (known.has(Math.floor(channel / op.depthMultiplier))) return false;
  const channels = filter.tensor.shape[3] ?? 1;
  return filter.weights.some((weight: number, index: number) => index % channels === channel && weight !== 0);
}

/** Runs the op alone on an input that holds the known channels; what does not depend on the rest is its value for every input. */
function evaluate(op: Op, graph: Graph, known: ConstantChannels, independent: readonly number[]): ConstantChannels {
  const input = defined(op.inputs[0], 'input');
  const output = defined(op.outputs[0], 'output');
  const { shape, dtype } = tensorOf(graph, input);
  const depth = shape[3] ?? 1;
  const Values = dtype === 'int8' ? Int8Array : Float32Array;
  const fed = new Values(elementCount(shape)).map((_: number, i: number) => known.get(i % depth) ?? 0);
  const alone: Graph = { ...graph, ops: [op], inputs: [input], outputs: [output] };
  const run = runReference(alone, [new Uint8Array(fed.buffer)]);
  const result = new Values(defined(run.outputs[0], 'output').slice().buffer);
  const channels = tensorOf(graph, output).shape[3] ?? 1;
  const values = new Map<number, number>();
  for (const channel of independent) {
    const value = result[channel] ?? 0;
    // At padded borders a constant channel can still vary from place to place; then it is no constant for us.
    if (result.every((element, index) => index % channels !== channel || element === value)) values.set(channel, value);
  }
  return values;
}
