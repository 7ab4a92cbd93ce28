/** verify: a graph that a pass of ours broke is a bug (plain Error), named by op or tensor; the broken item is never the first one. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../common/errors.ts';
import type { Graph, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { windowExtent } from '../../firmware-gen/ir/shapes.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { classifierModel } from '../tflite/model-builder.ts';

const good = importGraph(classifierModel(), 'classifier');

function withTensor(id: number, changes: Partial<Tensor>): Graph {
  return { ...good, tensors: good.tensors.map((tensor) => (tensor.id === id ? { ...tensor, ...changes } : tensor)) };
}

function withOp(index: number, changes: object): Graph {
  return { ...good, ops: good.ops.map((op) => (op.index === index ? { ...op, ...changes } : op)) };
}

const id = (value: number): TensorId => value as TensorId;
const quantization = { scale: [0.5], zeroPoint: [0], axis: 0 };

const BROKEN: readonly [title: string, message: RegExp, graph: Graph][] = [
  ['a tensor at another id', /tensor 4 "t4": has id 7/, withTensor(4, { id: id(7) })],
  ['a dimension that is not positive', /tensor 4 "t4": dimension 0 of shape/, withTensor(4, { shape: [1, 0] })],
  ['a dimension that is not an integer', /tensor 4 "t4": dimension 1.5 of shape/, withTensor(4, { shape: [1.5] })],
  ['too many dimensions', /tensor 4 "t4": has 9 dimensions/, withTensor(4, { shape: new Array<number>(9).fill(1) })],
  ['an absurd size', /tensor 4 "t4": shape .* takes 2147483648 bytes/, withTensor(4, { shape: [2 ** 31] })],
  ['data of another length', /tensor 6 "t6": has 5 bytes of data/, withTensor(6, { data: new Uint8Array(5) })],
  ['a quantized float', /tensor 4 "t4": is float32 and quantized/, withTensor(4, { dtype: 'float32', quantization })],
  [
    'no scale',
    /tensor 4 "t4": is quantized without a scale/,
    withTensor(4, { quantization: { ...quantization, scale: [] } }),
  ],
  ['an infinite scale', /has scale Infinity/, withTensor(4, { quantization: { ...quantization, scale: [Infinity] } })],
  [
    'a zero point out of range',
    /has zero point -129/,
    withTensor(4, { quantization: { ...quantization, zeroPoint: [-129] } }),
  ],
  [
    'a bias with a zero point',
    /tensor 2 "t2": has zero point 1, 0..0 expected/,
    withTensor(2, { quantization: { ...quantization, zeroPoint: [1] } }),
  ],
  [
    'scales without their dimension',
    /has 3 scales along dimension 1/,
    withTensor(4, { quantization: { scale: [1, 2, 3], zeroPoint: [0, 0, 0], axis: 1 } }),
  ],
  ['a tensor that does not exist', /graph: tensor 55 does not exist/, withOp(3, { inputs: [id(55), id(6), null] })],
  ['a read before the write', /op 1 MAX_POOL_2D reads "t5" before/, withOp(1, { inputs: [id(5)] })],
  ['a second write', /op 4 SOFTMAX writes "t7", which is written already/, withOp(4, { outputs: [id(7)] })],
  ['an output that is not written', /graph output "t6" is never written/, { ...good, outputs: [id(8), id(6)] }],
  [
    'a shape that does not follow',
    /op 2 RESHAPE: .*\[1,15\] differ in their number/,
    withTensor(5, { shape: [1, 15] }),
  ],
  ['an attribute that does not fit', /op 1 MAX_POOL_2D: strideH is 0/, withOp(1, { strideH: 0 })],
  ['a missing filter', /op 3 FULLY_CONNECTED: input 1 is absent/, withOp(3, { inputs: [id(5), null, null] })],
  [
    'wrong quantization',
    /op 1 MAX_POOL_2D: "t4" has scale 0.25/,
    withTensor(4, { quantization: { ...quantization, scale: [0.25] } }),
  ],
];

describe('verify', () => {
  it('should accept what import makes', () => {
    expect(() => verify(good)).not.toThrow();
  });

  it.each(BROKEN)('should refuse %s', (_title, message, graph) => {
    let thrown: unknown;
    try {
      verify(graph);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).not.toBeInstanceOf(UserError);
    expect((thrown as Error).message).toMatch(message);
    expect((thrown as Error).message).toMatch(/^internal: graph classifier: /);
  });
});

describe('windowExtent', () => {
  it.each([
    [49, 10, 2, 1, 'SAME', 25],
    [49, 10, 2, 1, 'VALID', 20],
    [5, 3, 1, 2, 'VALID', 1],
    [4, 3, 1, 2, 'VALID', 0],
    [4, 3, 1, 2, 'SAME', 4],
    [1, 1, 7, 1, 'VALID', 1],
  ] as const)(
    'should give input %i, filter %i, stride %i, dilation %i, %s: %i',
    (input, filter, stride, dilation, padding, extent) => {
      expect(windowExtent(input, filter, stride, dilation, padding)).toBe(extent);
    },
  );
});
