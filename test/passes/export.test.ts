/** graphToTflite undone: what is exported, written, read and imported again is the same graph. Operator versions as TFLite's converter has them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import {
  elementCount,
  type DType,
  type Graph,
  type Op,
  type Tensor,
  type TensorId,
} from '../../firmware-gen/ir/graph.ts';
import { verify } from '../../firmware-gen/ir/verify.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { classifierModel } from '../tflite/model-builder.ts';

type Body = Op extends infer One ? (One extends Op ? Omit<One, 'index' | 'inputs' | 'outputs'> : never) : never;
type Shape = readonly number[];

const throughFile = (graph: Graph): Graph => importGraph(parseTflite(writeTflite(graphToTflite(graph))), graph.name);

interface Quantized {
  readonly scale?: number;
  readonly zeroPoint?: number;
}

function activation(id: number, dtype: DType, shape: Shape, { scale = 0.5, zeroPoint = 0 }: Quantized = {}): Tensor {
  const quantization = dtype === 'float32' ? null : { scale: [Math.fround(scale)], zeroPoint: [zeroPoint], axis: 0 };
  return { id: id as TensorId, name: `t${id}`, dtype, shape, quantization, data: null };
}

/** A weight whose bytes count up. int8 filters get one scale per entry of `axis`. */
function constant(id: number, dtype: DType, shape: Shape, axis: number | null = null): Tensor {
  const slices = axis === null ? 1 : shape[axis]!;
  const scale = Array.from({ length: slices }, (_, i) => Math.fround(0.01 * (i + 1)));
  const width = dtype === 'int8' ? 1 : dtype === 'int64' ? 8 : 4;
  return {
    ...activation(id, dtype, shape),
    quantization: dtype === 'float32' ? null : { scale, zeroPoint: scale.map(() => 0), axis: axis ?? 0 },
    data: Uint8Array.from({ length: elementCount(shape) * width }, (_, i) => (width === 4 ? (i % 4 ? 0 : i) : i % 100)),
  };
}

/** One op: inputs first, then outputs; constants are no graph inputs. */
function oneOp(body: Body, inputs: readonly Tensor[], outputs: readonly Tensor[]): Graph {
  const graph: Graph = {
    name: 'one',
    tensors: [...inputs, ...outputs],
    ops: [{ ...body, index: 0, inputs: inputs.map(({ id }) => id), outputs: outputs.map(({ id }) => id) }],
    inputs: inputs.filter(({ data }) => data === null).map(({ id }) => id),
    outputs: outputs.map(({ id }) => id),
    notes: [],
  };
  verify(graph);
  return graph;
}

const int8 = (id: number, ...shape: number[]): Tensor => activation(id, 'int8', shape);
const unary = (body: Body, from: Shape, to: Shape = from): Graph => oneOp(body, [int8(0, ...from)], [int8(1, ...to)]);
const unaryTo = (body: Body, output: Quantized): Graph =>
  oneOp(body, [int8(0, 1, 6)], [activation(1, 'int8', [1, 6], output)]);
const probability = { scale: 1 / 256, zeroPoint: -128 };
const window = { padding: 'VALID', strideH: 2, strideW: 1, activation: 'RELU6' } as const;
const dilated = { ...window, dilationH: 1, dilationW: 2 } as const;
const fused = { activation: 'RELU' } as const;

function convolution(dtype: 'int8' | 'float32' | 'int16'): Graph {
  const [filter, bias] = (
    { int8: ['int8', 'int32'], float32: ['float32', 'float32'], int16: ['int8', 'int64'] } as const
  )[dtype];
  const axis = dtype === 'float32' ? null : 0;
  const inputs = [
    activation(0, dtype, [1, 5, 6, 2]),
    constant(1, filter, [4, 2, 3, 2], axis),
    constant(2, bias, [4], axis),
  ];
  return oneOp({ kind: 'CONV_2D', ...dilated }, inputs, [activation(3, dtype, [1, 2, 2, 4])]);
}

function pair(body: Body, dtype: DType, b: Shape = [1, 3, 4], scale = 0.5): Graph {
  const inputs = [activation(0, dtype, [1, 3, 4]), activation(1, dtype, b)];
  return oneOp(body, inputs, [activation(2, dtype, [1, 3, 4], { scale })]);
}

const depthwise = (): Graph =>
  oneOp(
    { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: 2, ...dilated },
    [int8(0, 1, 5, 6, 2), constant(1, 'int8', [1, 2, 3, 4], 3), constant(2, 'int32', [4], 0)],
    [int8(3, 1, 2, 2, 4)],
  );
const dense = (keepNumDims: boolean): Graph =>
  oneOp(
    { kind: 'FULLY_CONNECTED', activation: 'NONE', keepNumDims },
    [int8(0, 2, 1, 3), constant(1, 'int8', [4, 3]), constant(2, 'int32', [4])],
    [keepNumDims ? int8(3, 2, 1, 4) : int8(3, 2, 4)],
  );
const split = (): Graph => oneOp({ kind: 'SPLIT', axis: 1 }, [int8(0, 1, 4, 2)], [int8(1, 1, 2, 2), int8(2, 1, 2, 2)]);
const quantize = (to: DType): Graph =>
  oneOp({ kind: 'QUANTIZE' }, [activation(0, 'float32', [1, 6])], [activation(1, to, [1, 6])]);
const pool = { kind: 'AVERAGE_POOL_2D', ...window, filterH: 2, filterW: 2 } as const;
const resize = { kind: 'RESIZE_NEAREST_NEIGHBOR', alignCorners: false, halfPixelCenters: true } as const;

/** title, graph, operator version in the file */
const CASES: readonly (readonly [string, Graph, number])[] = [
  ['CONV_2D int8, per channel', convolution('int8'), 3],
  ['CONV_2D int16', convolution('int16'), 4],
  ['CONV_2D float32', convolution('float32'), 1],
  ['DEPTHWISE_CONV_2D with multiplier and dilation', depthwise(), 3],
  ['FULLY_CONNECTED', dense(false), 4],
  ['FULLY_CONNECTED keeping dimensions', dense(true), 5],
  ['AVERAGE_POOL_2D', unary(pool, [1, 5, 6, 2], [1, 2, 5, 2]), 2],
  ['MAX_POOL_2D', unary({ ...pool, kind: 'MAX_POOL_2D' }, [1, 5, 6, 2], [1, 2, 5, 2]), 2],
  ['MEAN over two axes', unary({ kind: 'MEAN', axes: [1, 2], keepDims: false }, [1, 3, 4, 2], [1, 2]), 2],
  ['MEAN keeping dimensions', unary({ kind: 'MEAN', axes: [1], keepDims: true }, [1, 3, 4, 2], [1, 1, 4, 2]), 2],
  ['ADD', pair({ kind: 'ADD', ...fused }, 'int8'), 2],
  ['ADD int16', pair({ kind: 'ADD', ...fused }, 'int16'), 3],
  ['SUB with broadcast', pair({ kind: 'SUB', ...fused }, 'int8', [4]), 2],
  ['MUL', pair({ kind: 'MUL', ...fused }, 'int8'), 2],
  ['MUL whose product is rescaled to the left', pair({ kind: 'MUL', ...fused }, 'int8', [1, 3, 4], 0.25), 3],
  ['MAXIMUM', pair({ kind: 'MAXIMUM' }, 'int8'), 2],
  ['MINIMUM float32', pair({ kind: 'MINIMUM' }, 'float32'), 1],
  [
    'CONCATENATION',
    oneOp(
      { kind: 'CONCATENATION', axis: 1, activation: 'NONE' },
      [int8(0, 1, 2), int8(1, 1, 3), int8(2, 1, 1)],
      [int8(3, 1, 6)],
    ),
    2,
  ],
  [
    'PAD',
    unary(
      {
        kind: 'PAD',
        paddings: [
          [0, 0],
          [1, 2],
        ],
        padValue: 0,
      },
      [1, 3],
      [1, 6],
    ),
    2,
  ],
  [
    'PAD with another value (PADV2)',
    unary(
      {
        kind: 'PAD',
        paddings: [
          [0, 1],
          [1, 2],
        ],
        padValue: -7,
      },
      [1, 3],
      [2, 6],
    ),
    2,
  ],
  ['RESHAPE', unary({ kind: 'RESHAPE' }, [1, 2, 3], [6]), 1],
  ['SQUEEZE of two axes', unary({ kind: 'SQUEEZE' }, [1, 5, 1, 1, 3], [1, 5, 3]), 1],
  ['EXPAND_DIMS', unary({ kind: 'EXPAND_DIMS' }, [5, 3], [5, 1, 3]), 1],
  [
    'STRIDED_SLICE',
    unary({ kind: 'STRIDED_SLICE', begin: [0, 1], step: [1, 2], outputExtent: [1, 3] }, [1, 6], [1, 3]),
    2,
  ],
  [
    'STRIDED_SLICE backwards to index 0, one axis dropped',
    unary({ kind: 'STRIDED_SLICE', begin: [1, 5], step: [1, -1], outputExtent: [1, 6] }, [2, 6], [6]),
    2,
  ],
  ['TRANSPOSE', unary({ kind: 'TRANSPOSE', perm: [0, 2, 1] }, [1, 2, 3], [1, 3, 2]), 2],
  ['SOFTMAX', unaryTo({ kind: 'SOFTMAX', beta: 0.5 }, probability), 2],
  ['LOGISTIC', unaryTo({ kind: 'LOGISTIC' }, probability), 2],
  ['TANH', unaryTo({ kind: 'TANH' }, { scale: 1 / 128 }), 2],
  ['RELU', unaryTo({ kind: 'RELU' }, {}), 2],
  ['RELU6', unaryTo({ kind: 'RELU6' }, {}), 2],
  ['HARD_SWISH', unaryTo({ kind: 'HARD_SWISH' }, {}), 1],
  ['LEAKY_RELU', unaryTo({ kind: 'LEAKY_RELU', alpha: 0.125 }, {}), 1],
  ['RESIZE_NEAREST_NEIGHBOR', unary(resize, [1, 2, 2, 1], [1, 4, 6, 1]), 3],
  ['SPLIT', split(), 2],
  ['QUANTIZE to int8', quantize('int8'), 1],
  ['QUANTIZE to int16', quantize('int16'), 2],
  ['DEQUANTIZE', oneOp({ kind: 'DEQUANTIZE' }, [int8(0, 1, 6)], [activation(1, 'float32', [1, 6])]), 2],
];

describe('graphToTflite', () => {
  it.each(CASES)('should keep %s', (_title, graph, version) => {
    const model = graphToTflite(graph);
    expect(model.operatorCodes?.map((code) => code.version)).toEqual([version]);
    expect(throughFile(graph)).toEqual(graph);
  });

  it('should write the version that has FULLY_CONNECTED without a bias', () => {
    const withBias = dense(false);
    const [op] = withBias.ops;
    const graph = { ...withBias, ops: [{ ...op!, inputs: op!.inputs.slice(0, 2) }] };
    expect(graphToTflite(graph).operatorCodes?.[0]?.version).toBe(6);
  });

  it('should share one operator code among equal operators and name what they write', () => {
    // Read from a file: its scales are float32.
    const graph = importGraph(parseTflite(writeTflite(classifierModel())), 'classifier');
    const model = graphToTflite(graph);
    expect(throughFile(graph)).toEqual(graph);
    expect(model.operatorCodes).toHaveLength(5);
    expect(model.subgraphs?.[0]?.tensors?.at(-1)?.name).toBe('t5/shape');
    expect(model.buffers?.[0]?.data).toBeNull();
  });

  const shared = join(packageRoot(), '..', 'shared', 'models');
  const sharedModels = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith('.tflite')) : [];

  describe.skipIf(sharedModels.length === 0)('on ../shared/models (skipped when absent)', () => {
    it.each(sharedModels)('should keep the graph of %s', (name) => {
      const graph = importGraph(parseTflite(new Uint8Array(readFileSync(join(shared, name)))), 'model');
      const back = throughFile(graph);
      // Import says what it dequantized; the exported file is float already.
      expect(isDeepStrictEqual({ ...back, notes: [] }, { ...graph, notes: [] })).toBe(true);
    });
  });
});
