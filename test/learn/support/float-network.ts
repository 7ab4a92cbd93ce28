/** A small float network with everything that quantization prepares: batch normalisation left as MUL and ADD, RELU on its own, a depthwise layer. */
import type { Graph, Op, Tensor, TensorId } from '../../../firmware-gen/ir/graph.ts';
import { createRandom } from '../../../learn/random.ts';

export const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.slice().buffer);
export const floatsIn = (data: Uint8Array): Float32Array => new Float32Array(data.slice().buffer);
export const ids = (...list: (number | null)[]): TensorId[] => list as TensorId[];

export const INPUT_ELEMENTS = 6 * 4 * 3;
export const CLASSES = 4;

/** [1,6,4,3] -> conv 3x3 -> MUL -> ADD -> RELU -> depthwise 3x3 (RELU) -> conv 1x1 without bias -> SUB -> mean pool -> dense -> softmax. */
export function floatNetwork(): Graph {
  const random = createRandom(11);
  const tensors: Tensor[] = [];
  const activation = (...shape: number[]): TensorId => add(shape, null);
  const constant = (shape: number[], spread: number, mean = 0): TensorId => {
    const count = shape.reduce((a, b) => a * b, 1);
    return add(
      shape,
      Float32Array.from({ length: count }, () => mean + spread * random.normal()),
    );
  };
  function add(shape: readonly number[], values: Float32Array | null): TensorId {
    const id = tensors.length as TensorId;
    const data = values && bytesOf(values);
    tensors.push({ id, name: `t${id}`, dtype: 'float32', shape, quantization: null, data });
    return id;
  }
  const input = activation(1, 6, 4, 3);
  const ops: Op[] = [];
  const window = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padding: 'SAME' } as const;
  const push = (op: DistributiveOmit<Op, 'index' | 'outputs'>, ...shape: number[]): TensorId => {
    const output = activation(...shape);
    ops.push({ ...op, index: ops.length, outputs: [output] });
    return output;
  };
  const conv = push(
    {
      kind: 'CONV_2D',
      inputs: [input, constant([8, 3, 3, 3], 0.3), constant([8], 0.2)],
      ...window,
      activation: 'NONE',
    },
    ...[1, 6, 4, 8],
  );
  const scaled = push({ kind: 'MUL', inputs: [conv, constant([8], 0.8, 1)], activation: 'NONE' }, 1, 6, 4, 8);
  const shifted = push({ kind: 'ADD', inputs: [scaled, constant([1, 1, 1, 8], 0.5)], activation: 'NONE' }, 1, 6, 4, 8);
  const relu = push({ kind: 'RELU', inputs: [shifted] }, 1, 6, 4, 8);
  const depthwiseInputs = [relu, constant([1, 3, 3, 8], 0.4), constant([8], 0.1)];
  const depthwise = push(
    { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: 1, inputs: depthwiseInputs, ...window, activation: 'RELU' },
    ...[1, 6, 4, 8],
  );
  const pointwise = push(
    { kind: 'CONV_2D', inputs: [depthwise, constant([5, 1, 1, 8], 0.5), null], ...window, activation: 'NONE' },
    ...[1, 6, 4, 5],
  );
  const lowered = push({ kind: 'SUB', inputs: [pointwise, constant([5], 0.4)], activation: 'RELU' }, 1, 6, 4, 5);
  const pool = push(
    {
      kind: 'AVERAGE_POOL_2D',
      inputs: [lowered],
      filterH: 6,
      filterW: 4,
      strideH: 1,
      strideW: 1,
      padding: 'VALID',
      activation: 'NONE',
    },
    ...[1, 1, 1, 5],
  );
  const flat = push({ kind: 'RESHAPE', inputs: [pool] }, 1, 5);
  const dense = push(
    {
      kind: 'FULLY_CONNECTED',
      inputs: [flat, constant([CLASSES, 5], 2), constant([CLASSES], 0.3)],
      activation: 'NONE',
      keepNumDims: false,
    },
    ...[1, CLASSES],
  );
  const output = push({ kind: 'SOFTMAX', inputs: [dense], beta: 1 }, 1, CLASSES);
  return { name: 'float-network', tensors, ops, inputs: [input], outputs: [output], notes: [] };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export function floatSamples(count: number, seed: number, gain = 1): Float32Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: INPUT_ELEMENTS }, () => gain * random.normal()),
  );
}
