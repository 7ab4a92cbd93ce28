/** A small int8 image classifier with one op of each common kind and fixed, irregular weights: what goldens and build tests generate from. */
import type { Graph, Op, Quantization, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { elementCount } from '../../firmware-gen/ir/graph.ts';

const id = (value: number): TensorId => value as TensorId;

function perTensor(scale: number, zeroPoint: number): Quantization {
  return { scale: [Math.fround(scale)], zeroPoint: [zeroPoint], axis: 0 };
}

function perChannel(channels: number, axis: number): Quantization {
  return {
    scale: Array.from({ length: channels }, (_, channel) => Math.fround(0.004 + 0.0007 * channel)),
    zeroPoint: Array.from({ length: channels }, () => 0),
    axis,
  };
}

/** Values of a fixed linear congruential generator, in -128..127 or, for biases, in -800..800. */
function constantData(shape: readonly number[], dtype: 'int8' | 'int32', seed: number): Uint8Array {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 16;
  };
  const count = elementCount(shape);
  if (dtype === 'int8') return new Uint8Array(Int8Array.from({ length: count }, () => (next() & 0xff) - 128).buffer);
  return new Uint8Array(Int32Array.from({ length: count }, () => (next() % 1601) - 800).buffer);
}

function activation(index: number, name: string, shape: readonly number[], quantization: Quantization): Tensor {
  return { id: id(index), name, dtype: 'int8', shape, quantization, data: null };
}

function weights(index: number, name: string, shape: readonly number[], quantization: Quantization): Tensor {
  return { id: id(index), name, dtype: 'int8', shape, quantization, data: constantData(shape, 'int8', index + 1) };
}

function bias(index: number, name: string, channels: number): Tensor {
  const shape = [channels];
  return {
    id: id(index),
    name,
    dtype: 'int32',
    shape,
    quantization: null,
    data: constantData(shape, 'int32', index + 1),
  };
}

/** [1, 6, 5, 2] -> CONV_2D -> DEPTHWISE_CONV_2D -> AVERAGE_POOL_2D -> RESHAPE -> FULLY_CONNECTED -> SOFTMAX -> [1, 3] */
export function tinyModel(name = 'tiny'): Graph {
  const same = { padding: 'SAME', strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, activation: 'RELU' } as const;
  const tensors: Tensor[] = [
    activation(0, 'image', [1, 6, 5, 2], perTensor(0.05, 3)),
    weights(1, 'conv/filter', [4, 3, 3, 2], perChannel(4, 0)),
    bias(2, 'conv/bias', 4),
    activation(3, 'conv', [1, 6, 5, 4], perTensor(0.04, -128)),
    weights(4, 'depthwise/filter', [1, 3, 3, 4], perChannel(4, 3)),
    bias(5, 'depthwise/bias', 4),
    activation(6, 'depthwise', [1, 6, 5, 4], perTensor(0.06, -128)),
    activation(7, 'pool', [1, 1, 1, 4], perTensor(0.06, -128)),
    activation(8, 'flat', [1, 4], perTensor(0.06, -128)),
    weights(9, 'dense/filter', [3, 4], perTensor(0.01, 0)),
    bias(10, 'dense/bias', 3),
    activation(11, 'logits', [1, 3], perTensor(0.08, 5)),
    activation(12, 'probabilities', [1, 3], perTensor(1 / 256, -128)),
  ];
  const ops: Op[] = [
    { index: 0, kind: 'CONV_2D', ...same, inputs: [id(0), id(1), id(2)], outputs: [id(3)] },
    {
      index: 1,
      kind: 'DEPTHWISE_CONV_2D',
      ...same,
      depthMultiplier: 1,
      inputs: [id(3), id(4), id(5)],
      outputs: [id(6)],
    },
    {
      index: 2,
      kind: 'AVERAGE_POOL_2D',
      padding: 'VALID',
      strideH: 6,
      strideW: 5,
      filterH: 6,
      filterW: 5,
      activation: 'NONE',
      inputs: [id(6)],
      outputs: [id(7)],
    },
    { index: 3, kind: 'RESHAPE', inputs: [id(7)], outputs: [id(8)] },
    {
      index: 4,
      kind: 'FULLY_CONNECTED',
      activation: 'NONE',
      keepNumDims: false,
      inputs: [id(8), id(9), id(10)],
      outputs: [id(11)],
    },
    { index: 5, kind: 'SOFTMAX', beta: 1, inputs: [id(11)], outputs: [id(12)] },
  ];
  return { name, tensors, ops, inputs: [id(0)], outputs: [id(12)], notes: [] };
}
