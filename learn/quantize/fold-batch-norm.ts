/**
 * Folds what batch normalisation leaves in a float graph, MUL, ADD and SUB of one constant per channel, into the convolution or dense
 * layer in front (Jacob et al., arXiv 1712.05877, section 3.2): w' = w * m, b' = b * m + a. Only where nobody else reads the layer.
 */
import { defined } from '../../common/errors.ts';
import {
  elementCount,
  tensorOf,
  type Graph,
  type Op,
  type Tensor,
  type TensorId,
} from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { compact } from '../../firmware-gen/passes/compact.ts';
import {
  constantOf,
  floatsOf,
  isWeighted,
  outputChannelAxis,
  scaledAlong,
  withBiases,
  withFloats,
  withOwnWeights,
  type WeightedOp,
} from './weights.ts';

type Affine = Op & { readonly kind: 'MUL' | 'ADD' | 'SUB' };

/**
 * A graph with equal outputs (up to float rounding) and no more ops. Layers get a bias and weights of their own first. A RELU or RELU6
 * behind a layer becomes its activation.
 */
export function foldBatchNorm(graph: Graph): Graph {
  let result = withBiases(withOwnWeights(graph));
  for (;;) {
    const pair = findPair(result);
    if (pair === null) break;
    result = fold(result, ...pair);
  }
  result = compact(fuseActivations(result));
  // Files number ops by position: what is written and what is read again must agree.
  result = { ...result, ops: result.ops.map((op, index) => ({ ...op, index })) };
  verify(result);
  return result;
}

/** Whether `layer` alone produces and `op` alone reads what is between them. */
function onlyReader(graph: Graph, layer: Op, op: Op): boolean {
  const [id] = layer.outputs;
  return (
    id !== undefined &&
    !graph.outputs.includes(id) &&
    graph.ops.every((reader) => reader === op || !reader.inputs.includes(id))
  );
}

function fuseActivations(graph: Graph): Graph {
  const dropped = new Set<Op>();
  const merged = new Map<Op, Op>();
  for (const op of graph.ops) {
    if (op.kind !== 'RELU' && op.kind !== 'RELU6') continue;
    const layer = graph.ops.find((candidate) => candidate.outputs[0] === op.inputs[0]);
    const fusible = layer && (isWeighted(layer) || layer.kind === 'ADD') && layer.activation === 'NONE';
    if (!fusible || !onlyReader(graph, layer, op)) continue;
    dropped.add(op);
    merged.set(layer, { ...layer, outputs: op.outputs, activation: op.kind });
  }
  return { ...graph, ops: graph.ops.flatMap((op) => (dropped.has(op) ? [] : [merged.get(op) ?? op])) };
}

function findPair(graph: Graph): readonly [WeightedOp, Affine] | null {
  for (const op of graph.ops) {
    if (op.kind !== 'MUL' && op.kind !== 'ADD' && op.kind !== 'SUB') continue;
    const [data, constant] = op.inputs.map((id) => tensorOf(graph, defined(id, 'operand')));
    if (!data || !constant || data.data !== null || constant.data === null) continue;
    const layer = graph.ops.find((candidate) => candidate.outputs[0] === data.id);
    if (!layer || !isWeighted(layer) || layer.activation !== 'NONE') continue;
    if (!onlyReader(graph, layer, op)) continue;
    if (perChannel(constant, data.shape.at(-1) ?? 1) === null) continue;
    return [layer, op];
  }
  return null;
}

/** One value per channel, or null when the constant varies along another dimension. */
function perChannel(constant: Tensor, channels: number): Float64Array | null {
  const count = elementCount(constant.shape);
  if (count !== 1 && (count !== channels || constant.shape.at(-1) !== channels)) return null;
  const values = floatsOf(constant);
  return Float64Array.from({ length: channels }, (_, c) => values[count === 1 ? 0 : c]!);
}

function fold(graph: Graph, layer: WeightedOp, affine: Affine): Graph {
  const output = tensorOf(graph, affine.outputs[0]!);
  const values = defined(perChannel(constantOf(graph, affine, 1), output.shape.at(-1) ?? 1), 'constant per channel');
  const filter = constantOf(graph, layer, 1);
  const bias = constantOf(graph, layer, 2);
  const biases = floatsOf(bias);
  const replaced = new Map<TensorId, Tensor>();
  const sign = affine.kind === 'SUB' ? -1 : 1;
  if (affine.kind === 'MUL') {
    replaced.set(filter.id, withFloats(filter, scaledAlong(filter, outputChannelAxis(layer), values)));
    replaced.set(
      bias.id,
      withFloats(
        bias,
        biases.map((value, c) => value * values[c]!),
      ),
    );
  } else {
    replaced.set(
      bias.id,
      withFloats(
        bias,
        biases.map((value, c) => value + sign * values[c]!),
      ),
    );
  }
  const merged: Op = { ...layer, outputs: affine.outputs, activation: affine.activation };
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => replaced.get(tensor.id) ?? tensor),
    ops: graph.ops.flatMap((op) => (op === layer ? [merged] : op === affine ? [] : [op])),
  };
}
