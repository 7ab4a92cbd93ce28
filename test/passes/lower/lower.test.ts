/** The registry's own rules: what becomes an alias, what must be copied, and how an op without a kernel is refused. */
import { describe, expect, it } from 'vitest';
import type { Graph, Op, Tensor, TensorId } from '../../../firmware-gen/ir/graph.ts';
import { lower } from '../../../firmware-gen/passes/lower/index.ts';

const OPTIONS = { fuse: true, dsp: true };
const id = (value: number): TensorId => value as TensorId;

function graphOf(
  ops: readonly Op[],
  outputs: readonly number[],
  change: (tensor: Tensor) => Tensor = (tensor) => tensor,
): Graph {
  const count = Math.max(...ops.flatMap((op) => op.outputs)) + 1;
  const tensors = Array.from({ length: count }, (_, index) =>
    change({
      id: id(index),
      name: `t${index}`,
      dtype: 'float32',
      shape: index % 2 === 0 ? [2, 3] : [6],
      quantization: null,
      data: null,
    }),
  );
  return { name: 'net', tensors, ops, inputs: [id(0)], outputs: outputs.map(id), notes: [] };
}

function op(index: number, kind: 'RELU' | 'RESHAPE' | 'SQUEEZE' | 'EXPAND_DIMS', input: number, output: number): Op {
  return { index, kind, inputs: [id(input)], outputs: [id(output)] };
}

const functions = (graph: Graph): string[] => lower(graph, OPTIONS).calls.map((call) => call.function);

describe('lower', () => {
  it('should give a RESHAPE between two kernels no code', () => {
    const schedule = lower(graphOf([op(0, 'RELU', 0, 1), op(1, 'RESHAPE', 1, 2), op(2, 'RELU', 2, 3)], [3]), OPTIONS);
    expect(schedule.calls.map((call) => call.opIndex)).toEqual([0, 2]);
    expect(schedule.aliases).toEqual([{ opIndex: 1, input: 1, output: 2 }]);
  });

  it.each(['RESHAPE', 'SQUEEZE', 'EXPAND_DIMS'] as const)(
    'should copy when %s joins a graph input to a graph output',
    (kind) => {
      expect(functions(graphOf([op(0, kind, 0, 1)], [1]))).toEqual(['tl_copy']);
    },
  );

  it('should copy at the end of a chain of aliases from input to output only', () => {
    const schedule = lower(graphOf([op(0, 'RESHAPE', 0, 1), op(1, 'RESHAPE', 1, 2)], [2]), OPTIONS);
    expect(schedule.aliases.map((alias) => alias.opIndex)).toEqual([0]);
    expect(schedule.calls.map((call) => call.opIndex)).toEqual([1]);
  });

  it('should keep two graph outputs apart even if they hold the same bytes', () => {
    expect(functions(graphOf([op(0, 'RELU', 0, 1), op(1, 'RESHAPE', 1, 2)], [1, 2]))).toEqual([
      'tl_relu_f32',
      'tl_copy',
    ]);
  });

  it('should copy a reshaped constant, which has no place in the arena', () => {
    const constant = (tensor: Tensor): Tensor => (tensor.id === 0 ? { ...tensor, data: new Uint8Array(24) } : tensor);
    const graph = { ...graphOf([op(0, 'RESHAPE', 0, 1), op(1, 'RELU', 1, 2)], [2], constant), inputs: [] };
    const [copy] = lower(graph, OPTIONS).calls;
    expect(copy).toMatchObject({ function: 'tl_copy', reads: [], writes: [1] });
  });

  it('should refuse an op without a kernel by name, index and types', () => {
    const graph = graphOf([op(0, 'RELU', 0, 1), op(7, 'RELU', 1, 2)], [2], (tensor) =>
      tensor.id === 2 ? { ...tensor, dtype: 'int64' } : tensor,
    );
    expect(() => lower(graph, OPTIONS)).toThrow(
      'net: op 7 RELU (float32 -> int64): no kernel for these types and options',
    );
  });

  it('should name the op whose scales do not fit', () => {
    const tiny = { scale: [1e-12], zeroPoint: [0], axis: 0 };
    const graph = graphOf([op(0, 'RESHAPE', 0, 1), op(7, 'RELU', 1, 2)], [2], (tensor) => ({
      ...tensor,
      dtype: 'int8',
      shape: [1, 2, 2, 1],
      quantization: tiny,
    }));
    const pool = {
      kind: 'MAX_POOL_2D',
      padding: 'VALID',
      strideH: 1,
      strideW: 1,
      filterH: 1,
      filterW: 1,
      activation: 'RELU6',
    };
    const ops = graph.ops.map((one) => (one.index === 7 ? ({ ...one, ...pool } as Op) : one));
    expect(() => lower({ ...graph, ops }, OPTIONS)).toThrow('net: op 7 MAX_POOL_2D: RELU6: 6 in steps of scale 1e-12');
  });
});
