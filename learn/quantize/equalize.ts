/**
 * Cross-layer equalization (Nagel et al., arXiv 1906.04721, section 4.1): channel c of a layer's output is divided by s[c] and the next
 * layer's weights for it multiplied by s[c], s = sqrt(r1 / r2) with r the channel's largest weight in either layer. The function stays the
 * same, ranges become alike: what a single scale per filter or per activation needs. Holds through RELU and no activation, not RELU6.
 */
import { defined } from '../../common/errors.ts';
import { tensorOf, type Graph, type Op, type Tensor, type TensorId } from '../../firmware-gen/ir/graph.ts';
import {
  constantOf,
  floatsOf,
  isWeighted,
  outputChannelAxis,
  scaledAlong,
  withFloats,
  type WeightedOp,
} from './weights.ts';

/** Rounds over all pairs; each pair disturbs its neighbours, which settles quickly. */
const ROUNDS = 10;
/** Bounds of a factor of one round. */
const FACTOR_MAX = 16;
/** Channels whose weights are a smaller share of the layer's largest are dead: equal ranges would only blow up their biases. */
const DEAD = 2 ** -20;

interface Pair {
  readonly first: WeightedOp;
  readonly second: WeightedOp;
  /** Channels between them. */
  readonly channels: number;
}

/** Equal function, other weights. Layers must have biases and weights of their own (foldBatchNorm). */
export function equalizeLayers(graph: Graph): { readonly graph: Graph; readonly pairs: number } {
  const pairs = graph.ops.flatMap((op) => (isWeighted(op) ? findPair(graph, op) : []));
  let result = graph;
  for (let round = 0; round < ROUNDS && pairs.length > 0; round += 1) {
    for (const pair of pairs) result = equalize(result, pair);
  }
  return { graph: result, pairs: pairs.length };
}

/** Kinds that a positive factor per channel passes through unchanged. */
const TRANSPARENT: ReadonlySet<Op['kind']> = new Set(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'RELU', 'RESHAPE', 'PAD']);

function findPair(graph: Graph, first: WeightedOp): Pair[] {
  if (first.activation !== 'NONE' && first.activation !== 'RELU') return [];
  const channels = tensorOf(graph, first.outputs[0]!).shape.at(-1) ?? 1;
  for (let id = first.outputs[0]!; ;) {
    const readers = graph.ops.filter((op) => op.inputs.includes(id));
    const [reader] = readers;
    if (!reader || readers.length !== 1 || graph.outputs.includes(id)) return [];
    if (isWeighted(reader)) {
      const inputs = inputChannels(graph, reader);
      return inputs !== null && inputs % channels === 0 ? [{ first, second: reader, channels }] : [];
    }
    if (!TRANSPARENT.has(reader.kind) || !keepsChannels(graph, reader)) return [];
    id = reader.outputs[0]!;
  }
}

/** RESHAPE may only flatten (channels stay innermost), PAD only add zeros around the picture. */
function keepsChannels(graph: Graph, op: Op): boolean {
  const [input, output] = [tensorOf(graph, op.inputs[0]!), tensorOf(graph, op.outputs[0]!)];
  if (op.kind === 'RESHAPE') return (output.shape.at(-1) ?? 1) % (input.shape.at(-1) ?? 1) === 0;
  if (op.kind === 'PAD') return op.padValue === 0 && (op.paddings.at(-1) ?? []).every((count) => count === 0);
  return !('activation' in op) || op.activation === 'NONE' || op.activation === 'RELU';
}

/** Extent of the filter's last dimension; null where it does not index input channels (depth multiplier, grouped convolution). */
function inputChannels(graph: Graph, op: WeightedOp): number | null {
  const extent = constantOf(graph, op, 1).shape.at(-1) ?? 1;
  if (op.kind === 'FULLY_CONNECTED') return extent;
  if (op.kind === 'DEPTHWISE_CONV_2D') return op.depthMultiplier === 1 ? extent : null;
  return extent === tensorOf(graph, op.inputs[0]!).shape.at(-1) ? extent : null;
}

function equalize(graph: Graph, { first, second, channels }: Pair): Graph {
  const [filter, bias, next] = [constantOf(graph, first, 1), constantOf(graph, first, 2), constantOf(graph, second, 1)];
  const ranges = largest(filter, outputChannelAxis(first), channels);
  const nextRanges = largest(next, next.shape.length - 1, channels);
  const [least, nextLeast] = [DEAD * Math.max(...ranges), DEAD * Math.max(...nextRanges)];
  const factors = Array.from(ranges, (range, c) => {
    const other = defined(nextRanges[c], 'range');
    if (range <= least || other <= nextLeast) return 1;
    return Math.min(FACTOR_MAX, Math.max(1 / FACTOR_MAX, Math.sqrt(range / other)));
  });
  const inverse = factors.map((factor) => 1 / factor);
  const repeated = Array.from({ length: next.shape.at(-1) ?? 1 }, (_, i) => factors[i % channels]!);
  const replaced = new Map<TensorId, Tensor>([
    [filter.id, withFloats(filter, scaledAlong(filter, outputChannelAxis(first), inverse))],
    [bias.id, withFloats(bias, scaledAlong(bias, 0, inverse))],
    [next.id, withFloats(next, scaledAlong(next, next.shape.length - 1, repeated))],
  ]);
  return { ...graph, tensors: graph.tensors.map((tensor) => replaced.get(tensor.id) ?? tensor) };
}

/** Largest magnitude per channel; index i of dimension `axis` belongs to channel i mod `channels`. */
function largest(tensor: Tensor, axis: number, channels: number): Float64Array {
  const result = new Float64Array(channels);
  const inner = tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const slices = tensor.shape[axis] ?? 1;
  for (const [i, value] of floatsOf(tensor).entries()) {
    const c = (Math.floor(i / inner) % slices) % channels;
    result[c] = Math.max(result[c]!, Math.abs(value));
  }
  return result;
}
