/**
 * Float networks without channels that nothing can move: training with batch normalisation leaves many whose weights are 2^-50 of their
 * neighbours'. Their constants go into the biases behind them, so that a graph whose scales are found at run time has no dead channels
 * either; static graphs lose theirs at generation.
 */
import { pruneConstantChannels, type PrunedGraph } from '../../firmware-gen/passes/prune-constant-channels.ts';
import type { Graph, Tensor } from '../../firmware-gen/ir/graph.ts';
import { constantOf, floatsOf, isWeighted, outputChannelAxis, withFloats, type WeightedOp } from './weights.ts';

/**
 * A channel whose magnitudes sum to less than this share of the layer's largest sum: with |sum| < 2^23 and six fraction bits it moves its
 * aligned accumulator by less than a unit, whatever the input (firmware-gen/ir/dynamic.ts).
 */
const NEGLIGIBLE = 2 ** -32;

export function withoutNegligibleChannels(graph: Graph): PrunedGraph {
  const tensors = [...graph.tensors];
  for (const op of graph.ops) {
    if (!isWeighted(op) || op.kind === 'FULLY_CONNECTED') continue;
    const filter = constantOf(graph, op, 1);
    tensors[filter.id] = withZeros(op, filter);
  }
  return pruneConstantChannels({ ...graph, tensors }, 'float32');
}

/** The filter with exact zeros in negligible channels. */
function withZeros(op: WeightedOp, filter: Tensor): Tensor {
  const weights = floatsOf(filter);
  const axis = outputChannelAxis(op);
  const channels = filter.shape[axis] ?? 1;
  const inner = filter.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const totals = new Float64Array(channels);
  for (const [i, weight] of weights.entries()) totals[channelOf(i)]! += Math.abs(weight);
  const least = NEGLIGIBLE * totals.reduce((a, b) => Math.max(a, b), 0);
  return withFloats(
    filter,
    weights.map((weight, i) => (totals[channelOf(i)]! < least ? 0 : weight)),
  );
}
