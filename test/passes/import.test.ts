/** What importGraph makes of each operator: attributes resolved from options and side inputs, weights, notes. */
import { describe, expect, it } from 'vitest';
import type { Graph, Op } from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { halfToFloat } from '../../firmware-gen/passes/import/dequantize.ts';
import type { BuiltinOperatorName, TensorTypeName } from '../../firmware-gen/tflite/enums.ts';
import type { UnionValue } from '../../firmware-gen/tflite/schema.ts';
import { ModelBuilder, classifierModel, options, type TensorSpec } from '../tflite/model-builder.ts';

/** Imports one operator on input 0 of `inputs`; the graph must also pass verify. */
function importOne(
  kind: BuiltinOperatorName,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  builtinOptions?: UnionValue,
): Graph {
  const b = new ModelBuilder();
  const ids = inputs.map((spec) => b.tensor(spec));
  const results = outputs.map((spec) => b.tensor(spec));
  b.op(kind, ids, results, builtinOptions);
  const activations = ids.filter((_, i) => !inputs[i]?.data);
  const graph = importGraph(b.model(activations, results), 'm');
  verify(graph);
  return graph;
}

const opOf = (graph: Graph): Op => graph.ops[0]!;
const side = (...values: number[]): TensorSpec => ({
  type: 'INT32',
  shape: [values.length],
  scale: null,
  data: Int32Array.from(values),
});
const int8 = (...shape: number[]): TensorSpec => ({ shape });
const float = (...shape: number[]): TensorSpec => ({ type: 'FLOAT32', shape });

function floatsOf(graph: Graph, input: number): number[] {
  const { data } = graph.tensors[opOf(graph).inputs[input]!]!;
  return Array.from(new Float32Array(data!.slice().buffer));
}

describe('importGraph', () => {
  it('should keep names, quantization and data, and number the tensors in use from 0', () => {
    const graph = importGraph(classifierModel(), 'classifier');
    expect(graph.ops.map((op) => op.kind)).toEqual(['CONV_2D', 'MAX_POOL_2D', 'RESHAPE', 'FULLY_CONNECTED', 'SOFTMAX']);
    expect(graph.tensors.map((tensor) => tensor.id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const [conv, , reshape, dense] = graph.ops;
    expect(conv).toMatchObject({
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      padding: 'SAME',
      activation: 'RELU',
    });
    expect(conv?.inputs).toEqual([0, 1, 2]);
    expect(reshape?.inputs).toEqual([4]);
    expect(dense?.inputs).toEqual([5, 6, null]);
    expect(graph.tensors[1]).toMatchObject({
      dtype: 'int8',
      shape: [4, 3, 3, 2],
      quantization: { axis: 0, zeroPoint: [0, 0, 0, 0] },
    });
    expect(graph.tensors[2]).toMatchObject({ dtype: 'int32', quantization: { axis: 0 } });
    expect(Array.from(graph.tensors[2]!.data!.slice(0, 8))).toEqual([1, 0, 0, 0, 254, 255, 255, 255]);
    expect(graph.notes).toEqual([]);
  });

  it('should take the larger of the two builtin codes, as TFLite does', () => {
    const model = classifierModel();
    const old = (model.operatorCodes ?? []).map((code) => ({ ...code, builtinCode: 0 }));
    expect(importGraph({ ...model, operatorCodes: old }, 'm').ops[0]?.kind).toBe('CONV_2D');
  });

  it('should read a bias axis copied from its filter as axis 0', () => {
    const graph = importOne(
      'DEPTHWISE_CONV_2D',
      [
        int8(1, 3, 3, 1),
        { shape: [1, 1, 1, 2], scale: [1, 2], axis: 3, data: new Int8Array(2) },
        { type: 'INT32', shape: [2], scale: [0.5, 1], axis: 3, data: new Int32Array(2) },
      ],
      [int8(1, 3, 3, 2)],
      options('DepthwiseConv2DOptions', { strideH: 1, strideW: 1, depthMultiplier: 2 }),
    );
    expect(opOf(graph)).toMatchObject({ depthMultiplier: 2 });
    expect(graph.tensors[2]?.quantization?.axis).toBe(0);
  });

  it.each(['INT32', 'INT64'] as const)('should accept int16 activations with int8 filter and %s bias', (type) => {
    const data = type === 'INT32' ? new Int32Array(2) : new BigInt64Array(2);
    const graph = importOne(
      'FULLY_CONNECTED',
      [
        { type: 'INT16', shape: [1, 4] },
        { shape: [2, 4], data: new Int8Array(8) },
        { type, shape: [2], scale: [0.25], data },
      ],
      [{ type: 'INT16', shape: [1, 2] }],
      options('FullyConnectedOptions', { keepNumDims: true, quantizedBiasType: type === 'INT32' ? 2 : 4 }),
    );
    expect(opOf(graph)).toMatchObject({ keepNumDims: true, activation: 'NONE' });
  });

  it('should dequantize int8 filters of float ops once per filter, and say so', () => {
    const b = new ModelBuilder();
    const input = b.tensor(float(1, 2));
    const filter = b.tensor({ shape: [2, 2], scale: [0.5, 0.25], data: Int8Array.of(1, -2, 3, -128) });
    const hidden = b.tensor(float(1, 2));
    const output = b.tensor(float(1, 2));
    b.op(
      'FULLY_CONNECTED',
      [input, filter],
      [hidden],
      options('FullyConnectedOptions', { asymmetricQuantizeInputs: true }),
    );
    b.op('FULLY_CONNECTED', [hidden, filter], [output], options('FullyConnectedOptions'));
    const graph = importGraph(b.model([input], [output]), 'm');
    verify(graph);
    expect(floatsOf(graph, 1)).toEqual([0.5, -1, 0.75, -32]);
    expect(graph.ops[1]?.inputs[1]).toBe(graph.ops[0]?.inputs[1]);
    expect(graph.notes).toEqual([expect.stringContaining('(ops 0 FULLY_CONNECTED, 1 FULLY_CONNECTED)')]);
    expect(graph.notes[0]).toContain("differs from TFLite's hybrid kernels");
  });

  it('should fold DEQUANTIZE of float16 constants', () => {
    const b = new ModelBuilder();
    const input = b.tensor(float(1, 2));
    const half = b.tensor({ type: 'FLOAT16', shape: [1, 2], data: Uint16Array.of(0x3e00, 0xc400) });
    const filter = b.tensor(float(1, 2));
    const output = b.tensor(float(1, 1));
    b.op('DEQUANTIZE', [half], [filter], options('DequantizeOptions'));
    b.op('FULLY_CONNECTED', [input, filter], [output], options('FullyConnectedOptions'));
    const graph = importGraph(b.model([input], [output]), 'm');
    verify(graph);
    expect(graph.ops.map((op) => op.index)).toEqual([1]);
    expect(floatsOf(graph, 1)).toEqual([1.5, -4]);
    expect(graph.notes).toEqual([expect.stringContaining('DEQUANTIZE ops 0')]);
  });

  it('should compute the shape chain of a flatten with open batch size', () => {
    const b = new ModelBuilder();
    const x = b.tensor(int8(2, 3, 4));
    const [shape, batch, target] = [[3], [], [2]].map((extent) =>
      b.tensor({ type: 'INT32', shape: extent, scale: null }),
    );
    const columns = b.tensor({ type: 'INT32', shape: [], scale: null, data: Int32Array.of(12) });
    const y = b.tensor(int8(2, 12));
    b.op('SHAPE', [x], [shape!], options('ShapeOptions', { outType: 2 }));
    const slice = [b.side(0), b.side(1), b.side(1)];
    b.op('STRIDED_SLICE', [shape!, ...slice], [batch!], options('StridedSliceOptions', { shrinkAxisMask: 1 }));
    b.op('PACK', [batch!, columns], [target!], options('PackOptions', { valuesCount: 2 }));
    b.op('RESHAPE', [x, target!], [y], options('ReshapeOptions'));
    const graph = importGraph(b.model([x], [y]), 'm');
    verify(graph);
    expect(graph.ops.map((op) => [op.index, op.kind])).toEqual([[3, 'RESHAPE']]);
    expect(graph.tensors).toHaveLength(2);
    expect(graph.notes).toEqual(['shapes computed at import: ops 0 SHAPE, 1 STRIDED_SLICE, 2 PACK need no code']);
  });

  it('should keep QUANTIZE and DEQUANTIZE of activations', () => {
    const b = new ModelBuilder();
    const [x, q, y] = [b.tensor(float(2)), b.tensor(int8(2)), b.tensor(float(2))];
    b.op('QUANTIZE', [x], [q], options('QuantizeOptions')).op('DEQUANTIZE', [q], [y], options('DequantizeOptions'));
    const graph = importGraph(b.model([x], [y]), 'm');
    expect(graph.ops.map((op) => op.kind)).toEqual(['QUANTIZE', 'DEQUANTIZE']);
  });

  it('should make tensor names printable on one line', () => {
    const b = new ModelBuilder();
    const x = b.tensor({ shape: [1], fields: { name: 'a\n*/\u2028b' } });
    const y = b.tensor({ shape: [1], fields: { name: 'n'.repeat(5000) } });
    const graph = importGraph(b.op('RELU', [x], [y]).model([x], [y]), 'm');
    expect(graph.tensors[0]?.name).toBe('a?*/?b');
    expect(graph.tensors[1]?.name.length).toBeLessThan(200);
  });
});

type Resolved = readonly [
  kind: BuiltinOperatorName,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  builtinOptions: UnionValue | undefined,
  attributes: object,
];

const slice = (begin: number[], end: number[], strides: number[]): TensorSpec[] => [
  side(...begin),
  side(...end),
  side(...strides),
];
const pool = { strideW: 2, strideH: 1, filterWidth: 3, filterHeight: 2, padding: 0, fusedActivationFunction: 3 };
const zeroAt = (zeroPoint: number, ...shape: number[]): TensorSpec => ({ shape, zeroPoint: [zeroPoint] });

// prettier-ignore
const RESOLVED: readonly Resolved[] = [
  ['AVERAGE_POOL_2D', [int8(1, 4, 4, 2)], [int8(1, 4, 2, 2)], options('Pool2DOptions', pool), { filterH: 2, filterW: 3, strideH: 1, strideW: 2, padding: 'SAME', activation: 'RELU6' }],
  ['MEAN', [int8(1, 3, 4, 2), side(-2, 1, 2)], [int8(1, 2)], options('ReducerOptions'), { axes: [1, 2], keepDims: false }],
  ['MEAN', [int8(1, 3, 4, 2), side(1)], [int8(1, 1, 4, 2)], options('ReducerOptions', { keepDims: true }), { axes: [1], keepDims: true }],
  ['SUB', [int8(2, 3), int8(3)], [int8(2, 3)], options('SubOptions', { fusedActivationFunction: 2 }), { activation: 'RELU_N1_TO_1' }],
  ['MAXIMUM', [int8(2, 1), int8(3)], [int8(2, 3)], options('MaximumMinimumOptions'), {}],
  ['CONCATENATION', [int8(1, 2), int8(1, 3)], [int8(1, 5)], options('ConcatenationOptions', { axis: -1 }), { axis: 1, activation: 'NONE' }],
  ['PAD', [zeroAt(-5, 1, 2), side(0, 1, 2, 3)], [zeroAt(-5, 2, 7)], options('PadOptions'), { paddings: [[0, 1], [2, 3]], padValue: -5 }],
  ['PADV2', [int8(2), side(1, 0), { shape: [], data: Int8Array.of(9) }], [int8(3)], undefined, { kind: 'PAD', paddings: [[1, 0]], padValue: 9 }],
  ['RESHAPE', [int8(2, 3)], [int8(6)], options('ReshapeOptions', { newShape: [-1] }), {}],
  ['SQUEEZE', [int8(1, 3, 1)], [int8(3)], options('SqueezeOptions'), {}],
  ['SQUEEZE', [int8(1, 3, 1)], [int8(1, 3)], options('SqueezeOptions', { squeezeDims: [-1] }), {}],
  ['EXPAND_DIMS', [int8(3), side(-1)], [int8(3, 1)], undefined, {}],
  ['TRANSPOSE', [int8(1, 2, 3), side(2, 0, 1)], [int8(3, 1, 2)], undefined, { perm: [2, 0, 1] }],
  ['STRIDED_SLICE', [int8(4, 5), ...slice([1, 4], [-1, -6], [1, -2])], [int8(2, 3)], options('StridedSliceOptions'), { begin: [1, 4], step: [1, -2], outputExtent: [2, 3] }],
  ['STRIDED_SLICE', [int8(4, 5), ...slice([9, -9], [0, 99], [-3, 1])], [int8(1, 5)], options('StridedSliceOptions', {}), { begin: [3, 0], step: [-3, 1], outputExtent: [1, 5] }],
  ['STRIDED_SLICE', [int8(4, 5), ...slice([-1, 3], [0, 1], [1, 2])], [int8(3)], options('StridedSliceOptions', { shrinkAxisMask: 1, beginMask: 2, endMask: 2 }), { begin: [3, 0], step: [1, 2], outputExtent: [1, 3] }],
  ['SOFTMAX', [int8(1, 2)], [{ shape: [1, 2], scale: [1 / 256], zeroPoint: [-128] }], options('SoftmaxOptions', { beta: 0.5 }), { beta: 0.5 }],
  ['TANH', [int8(2)], [{ shape: [2], scale: [1 / 128] }], undefined, {}],
  ['LOGISTIC', [float(2)], [float(2)], undefined, {}],
  ['RELU6', [int8(2)], [int8(2)], undefined, {}],
  ['HARD_SWISH', [int8(2)], [int8(2)], options('HardSwishOptions'), {}],
  ['LEAKY_RELU', [int8(2)], [int8(2)], options('LeakyReluOptions', { alpha: 0.25 }), { alpha: 0.25 }],
  ['RESIZE_NEAREST_NEIGHBOR', [int8(1, 2, 2, 1), side(4, 6)], [int8(1, 4, 6, 1)], options('ResizeNearestNeighborOptions', { halfPixelCenters: true }), { alignCorners: false, halfPixelCenters: true }],
  ['SPLIT', [side(-1), int8(2, 4)], [int8(2, 2), int8(2, 2)], options('SplitOptions', { numSplits: 2 }), { axis: 1 }],
  ['QUANTIZE', [{ type: 'UINT8', shape: [2], scale: [0.5], zeroPoint: [128] }], [int8(2)], undefined, {}],
];

describe('importGraph resolves', () => {
  it.each(RESOLVED)('%s', (kind, inputs, outputs, builtinOptions, attributes) => {
    const op = opOf(importOne(kind, inputs, outputs, builtinOptions));
    expect(op).toMatchObject({ kind, ...attributes });
    // Side inputs became attributes: only activations and constant operands of the type of the data are left.
    expect(op.inputs).toHaveLength(
      inputs.filter(({ type, data }) => !data || (type !== 'INT32' && kind !== 'PADV2')).length,
    );
  });
});

describe('halfToFloat', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x83ff, -1023 * 2 ** -24],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])('should read %i as %d', (bits, value) => {
    expect(halfToFloat(bits)).toBe(value);
  });
});

describe('importGraph on every type an op takes', () => {
  it.each(['INT8', 'INT16', 'FLOAT32'] as const)('should accept ADD of %s', (type: TensorTypeName) => {
    const spec: TensorSpec = { type, shape: [2, 2] };
    expect(opOf(importOne('ADD', [spec, spec], [spec], options('AddOptions'))).kind).toBe('ADD');
  });
});
