/** Pruning must never change an output bit, and must really remove what a planted dead channel allows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph, Op, Padding, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { elementCount, tensorOf } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { pruneConstantChannels } from '../../firmware-gen/passes/prune-constant-channels.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { Random } from '../kernels/op-cases.ts';

const SIZE = 5;
const CHANNELS = 12;

interface Plan {
  readonly seed: number;
  /** Output channels of the first convolution without weights. */
  readonly dead: readonly number[];
  /** Zero point of the tensors; -128 is what RELU layers have, where dead channels hold the real zero. */
  readonly zeroPoint: number;
  readonly deadBias: number;
  readonly depthwisePadding: Padding;
  readonly hasBias: boolean;
}

/** conv 1x1 -> depthwise 3x3 -> conv 1x1 -> average pool -> conv 1x1, int8. */
function chain(plan: Plan): Graph {
  const random = new Random(plan.seed);
  const tensors: Tensor[] = [];
  const add = (tensor: Omit<Tensor, 'id' | 'name'>): TensorId => {
    const id = tensors.length as TensorId;
    tensors.push({ ...tensor, id, name: `t${id}` });
    return id;
  };
  const activation = (size: number, channels: number): TensorId =>
    add({
      dtype: 'int8',
      shape: [1, size, size, channels],
      data: null,
      quantization: { scale: [0.1], zeroPoint: [plan.zeroPoint], axis: 0 },
    });
  const filter = (shape: number[], axis: number, dead: readonly number[]): TensorId => {
    const channels = shape[axis]!;
    const perChannel = elementCount(shape) / channels;
    const channelOf = (i: number): number => (axis === 0 ? Math.floor(i / perChannel) : i % channels);
    const data = Uint8Array.from({ length: elementCount(shape) }, (_, i) =>
      dead.includes(channelOf(i)) ? 0 : random.int(-127, 127) & 0xff,
    );
    return add({
      dtype: 'int8',
      shape,
      data,
      quantization: { scale: Array<number>(channels).fill(0.01), zeroPoint: Array<number>(channels).fill(0), axis },
    });
  };
  const bias = (channels: number, dead: readonly number[]): TensorId | null => {
    if (!plan.hasBias) return null;
    const values = Int32Array.from({ length: channels }, (_, i) =>
      dead.includes(i) ? plan.deadBias : random.int(-5000, 5000),
    );
    return add({
      dtype: 'int32',
      shape: [channels],
      data: new Uint8Array(values.buffer),
      quantization: { scale: Array<number>(channels).fill(0.001), zeroPoint: Array<number>(channels).fill(0), axis: 0 },
    });
  };
  const window = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, activation: 'NONE' } as const;
  const inner = plan.depthwisePadding === 'SAME' ? SIZE : SIZE - 2;
  const pooled = inner - 1;
  const [t0, t1, t2, t3, t4, t5] = [
    activation(SIZE, 4),
    activation(SIZE, CHANNELS),
    activation(inner, CHANNELS),
    activation(inner, 8),
    activation(pooled, 8),
    activation(pooled, 4),
  ];
  const ops: Op[] = [
    {
      index: 0,
      kind: 'CONV_2D',
      padding: 'SAME',
      ...window,
      inputs: [t0, filter([CHANNELS, 1, 1, 4], 0, plan.dead), bias(CHANNELS, plan.dead)],
      outputs: [t1],
    },
    {
      index: 1,
      kind: 'DEPTHWISE_CONV_2D',
      depthMultiplier: 1,
      padding: plan.depthwisePadding,
      ...window,
      inputs: [t1, filter([1, 3, 3, CHANNELS], 3, []), bias(CHANNELS, [])],
      outputs: [t2],
    },
    {
      index: 2,
      kind: 'CONV_2D',
      padding: 'SAME',
      ...window,
      inputs: [t2, filter([8, 1, 1, CHANNELS], 0, [0, 1, 2, 3]), bias(8, [0, 1, 2, 3])],
      outputs: [t3],
    },
    {
      index: 3,
      kind: 'AVERAGE_POOL_2D',
      padding: 'VALID',
      strideH: 1,
      strideW: 1,
      filterH: 2,
      filterW: 2,
      activation: 'NONE',
      inputs: [t3],
      outputs: [t4],
    },
    {
      index: 4,
      kind: 'CONV_2D',
      padding: 'SAME',
      ...window,
      inputs: [t4, filter([4, 1, 1, 8], 0, []), bias(4, [])],
      outputs: [t5],
    },
  ];
  return { name: 'chain', tensors, ops, inputs: [t0], outputs: [t5], notes: [] };
}

function outputs(graph: Graph, seed: number): Uint8Array[] {
  const random = new Random(seed);
  const input = Uint8Array.from({ length: elementCount(tensorOf(graph, graph.inputs[0]!).shape) }, () =>
    random.int(0, 255),
  );
  return runReference(graph, [input]).outputs;
}

describe('pruneConstantChannels', () => {
  it('should keep every output bit, whatever is dead', () => {
    const plans = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      dead: fc.uniqueArray(fc.integer({ min: 0, max: CHANNELS - 1 }), { maxLength: CHANNELS }),
      zeroPoint: fc.constantFrom(-128, -7, 0, 127),
      deadBias: fc.constantFrom(0, -4000, 900, 2 ** 30),
      depthwisePadding: fc.constantFrom<Padding>('SAME', 'VALID'),
      hasBias: fc.boolean(),
    });
    fc.assert(
      fc.property(plans, (plan) => {
        const graph = chain(plan);
        verify(graph);
        const { graph: pruned } = pruneConstantChannels(graph);
        for (const seed of [1, 2]) expect(outputs(pruned, seed)).toEqual(outputs(graph, seed));
      }),
      { numRuns: 200 },
    );
  });

  const base: Plan = {
    seed: 5,
    dead: [0, 3, 4, 7, 9],
    zeroPoint: -128,
    deadBias: -4000,
    depthwisePadding: 'SAME',
    hasBias: true,
  };

  it('should remove dead channels through a depthwise layer, keeping groups of four', () => {
    const { graph, channels } = pruneConstantChannels(chain(base));
    // 5 of 12 are dead: 8 remain in conv and depthwise; 4 of 8 are dead in the second conv and its pool.
    expect(channels).toBe(4 + 4 + 4 + 4);
    expect(
      [1, 2, 3, 4].map((index) => graph.ops[index - 1]!.outputs[0]!).map((id) => graph.tensors[id]!.shape[3]),
    ).toEqual([8, 8, 4, 4]);
  });

  it('should keep channels that hold something else than zero before a padded depthwise layer', () => {
    const { graph } = pruneConstantChannels(chain({ ...base, deadBias: 4000 }));
    expect(graph.tensors[graph.ops[0]!.outputs[0]!]!.shape[3]).toBe(CHANNELS);
  });

  it('should keep everything when nothing is constant', () => {
    const graph = chain({ ...base, dead: [] });
    const tensors = graph.tensors.map((tensor, id) =>
      id === graph.ops[2]!.inputs[1] ? { ...tensor, data: tensor.data!.map((byte) => byte || 1) } : tensor,
    );
    expect(pruneConstantChannels({ ...graph, tensors }).channels).toBe(0);
  });
});
