/**
 * Removes channels that hold a constant (constant-channels.ts): their producer's filters go, and what they would have added to the next
 * layer goes into its bias. Outputs of int8 networks stay the same bit for bit (float sums are added in another order); cycles, flash and
 * RAM shrink. Tensor ids and op indices are kept.
 */
import { defined } from '../../common/errors.ts';
import type { Graph, Op, Tensor, TensorId } from '../ir/graph.ts';
import { tensorOf } from '../ir/graph.ts';
import { verify } from '../ir/verify.ts';
import {
  findConstantChannels,
  isImage,
  symmetricFilter,
  type ChannelType,
  type ConstantChannels,
} from './constant-channels.ts';
import { addToBias, dropSlices } from './slice-tensor.ts';

/** Fast kernels take channels four at a time; constant channels fill up the last group. */
const CHANNEL_GROUP = 4;

/** Channels to remove, per tensor. */
type Removal = ReadonlyMap<TensorId, ReadonlySet<number>>;

export interface PrunedGraph {
  readonly graph: Graph;
  /** Channels removed, over all tensors. */
  readonly channels: number;
}

export function pruneConstantChannels(graph: Graph, dtype: ChannelType = 'int8'): PrunedGraph {
  const constants = findConstantChannels(graph, dtype);
  const candidates = new Map([...constants].map(([id, channels]) => [id, new Set(channels.keys())]));
  const consistent = settle(graph, constants, candidates);
  const removal = settle(graph, constants, keepGroupsFull(graph, consistent));
  const channels = [...removal.values()].reduce((sum, set) => sum + set.size, 0);
  if (channels === 0) return { graph, channels };
  const pruned = { ...graph, tensors: rewriteTensors(graph, constants, removal, dtype) };
  verify(pruned);
  return { graph: pruned, channels };
}

/** Takes back removals until every op that touches a tensor can go along. */
function settle(graph: Graph, constants: ReadonlyMap<TensorId, ConstantChannels>, wanted: Removal): Removal {
  const removal = new Map([...wanted].map(([id, set]) => [id, new Set(set)]));
  const filterUses = countUses(graph);
  for (let changed = true; changed;) {
    changed = false;
    for (const [id, set] of removal) {
      for (const channel of set) {
        if (canRemove(graph, constants, removal, filterUses, id, channel)) continue;
        set.delete(channel);
        changed = true;
      }
    }
  }
  return removal;
}

function countUses(graph: Graph): ReadonlyMap<TensorId, number> {
  const uses = new Map<TensorId, number>();
  for (const op of graph.ops) for (const id of op.inputs) if (id !== null) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}

function canRemove(
  graph: Graph,
  constants: ReadonlyMap<TensorId, ConstantChannels>,
  removal: Removal,
  uses: ReadonlyMap<TensorId, number>,
  id: TensorId,
  channel: number,
): boolean {
  if (graph.outputs.includes(id) || graph.inputs.includes(id)) return false;
  const value = defined(constants.get(id)?.get(channel), 'constant');
  const producer = graph.ops.find((op) => op.outputs.includes(id));
  const consumers = graph.ops.filter((op) => op.inputs.includes(id));
  if (!producer || consumers.length === 0 || !ownsWeights(producer, uses)) return false;
  const touchesOnlyAsInput = consumers.every((op) => op.inputs.indexOf(id) === 0 && ownsWeights(op, uses));
  return (
    touchesOnlyAsInput &&
    producerAgrees(producer, removal, channel) &&
    consumers.every((op) => consumerAgrees(op, graph, removal, channel, value))
  );
}

/** Weights that two ops share cannot lose different channels. */
function ownsWeights(op: Op, uses: ReadonlyMap<TensorId, number>): boolean {
  return op.inputs.slice(1).every((id) => id === null || uses.get(id) === 1);
}

/** Ops that keep channels apart can lose an output channel only together with its input channel. */
function producerAgrees(op: Op, removal: Removal, channel: number): boolean {
  const isRemoved = (inputChannel: number): boolean =>
    removal.get(defined(op.inputs[0], 'input'))?.has(inputChannel) ?? false;
  switch (op.kind) {
    case 'CONV_2D':
      return true;
    case 'DEPTHWISE_CONV_2D':
      return isRemoved(Math.floor(channel / op.depthMultiplier));
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return isRemoved(channel);
    default:
      return false;
  }
}

function consumerAgrees(op: Op, graph: Graph, removal: Removal, channel: number, value: number): boolean {
  const output = removal.get(defined(op.outputs[0], 'output'));
  switch (op.kind) {
    case 'CONV_2D':
      return convAgrees(op, graph, value);
    case 'DEPTHWISE_CONV_2D': {
      const first = channel * op.depthMultiplier;
      return Array.from({ length: op.depthMultiplier }, (_, i) => first + i).every((derived) => output?.has(derived));
    }
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return output?.has(channel) ?? false;
    default:
      return false;
  }
}

/** A real zero adds nothing anywhere. Another value adds the same everywhere only without padding, and needs a bias to go to. */
function convAgrees(op: Op & { readonly kind: 'CONV_2D' }, graph: Graph, value: number): boolean {
  const input = tensorOf(graph, defined(op.inputs[0], 'input'));
  const filter = symmetricFilter(op, graph);
  if (!filter || filter.tensor.shape[3] !== input.shape[3]) return false;
  if (value === (input.quantization?.zeroPoint[0] ?? 0)) return true;
  const [, filterH, filterW] = filter.tensor.shape;
  const isPadded = op.padding === 'SAME' && (filterH !== 1 || filterW !== 1);
  const biasId = op.inputs[2];
  const biasType = input.dtype === 'int8' ? 'int32' : 'float32';
  return !isPadded && biasId !== undefined && biasId !== null && tensorOf(graph, biasId).dtype === biasType;
}

/** Keeps so many constant channels, the last ones, that a multiple of CHANNEL_GROUP remains where there was one before. */
function keepGroupsFull(graph: Graph, removal: Removal): Removal {
  return new Map(
    [...removal].map(([id, set]) => {
      const total = tensorOf(graph, id).shape[3] ?? 0;
      const group = total % CHANNEL_GROUP === 0 ? CHANNEL_GROUP : 1;
      const remaining = Math.max(Math.ceil((total - set.size) / group) * group, group);
      const removable = [...set].sort((a, b) => a - b).slice(0, Math.max(total - remaining, 0));
      return [id, new Set(removable)];
    }),
  );
}

function rewriteTensors(
  graph: Graph,
  constants: ReadonlyMap<TensorId, ConstantChannels>,
  removal: Removal,
  dtype: ChannelType,
): Tensor[] {
  const tensors = [...graph.tensors];
  const drop = (id: TensorId | null | undefined, axis: number, channels: ReadonlySet<number> | undefined): void => {
    if (id === null || id === undefined || !channels || channels.size === 0) return;
    tensors[id] = dropSlices(defined(tensors[id], `tensor ${id}`), axis, channels);
  };
  for (const op of graph.ops) {
    if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D') continue;
    const [input, filter, bias] = op.inputs;
    const lost = removal.get(defined(input, 'input'));
    if (op.kind === 'CONV_2D') {
      if (lost && bias !== null && bias !== undefined) {
        const values = defined(constants.get(defined(input, 'input')), 'constants');
        tensors[bias] = addToBias(defined(tensors[bias], 'bias'), contributions(op, graph, lost, values));
      }
      drop(filter, 3, lost);
    }
    const gone = removal.get(defined(op.outputs[0], 'output'));
    drop(filter, op.kind === 'CONV_2D' ? 0 : 3, gone);
    drop(bias, 0, gone);
  }
  for (const [id, set] of removal) if (isImage(tensorOf(graph, id), dtype)) drop(id, 3, set);
  return tensors;
}

/** Per output channel: what the lost input channels add to every sum, (value - zero point) * weights. */
function contributions(op: Op, graph: Graph, lost: ReadonlySet<number>, values: ConstantChannels): number[] {
  const { tensor, weights } = defined(symmetricFilter(op, graph), 'filter');
  const zeroPoint = tensorOf(graph, defined(op.inputs[0], 'input')).quantization?.zeroPoint[0] ?? 0;
  const depth = tensor.shape[3] ?? 1;
  const taps = weights.length / (tensor.shape[0] ?? 1);
  const sums = Array.from({ length: tensor.shape[0] ?? 0 }, () => 0);
  for (const [index, weight] of weights.entries()) {
    const channel = index % depth;
    if (!lost.has(channel)) continue;
    const row = Math.floor(index / taps);
    sums[row] = (sums[row] ?? 0) + weight * (defined(values.get(channel), 'constant') - zeroPoint);
  }
  return sums;
}
