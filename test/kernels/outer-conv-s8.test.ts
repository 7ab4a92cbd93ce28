/** The convolution over the image that a column and a row span, made row by row, against product and convolution one after the other. */
import { describe, expect, it } from 'vitest';
import type { Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { convCase, type Window } from './layer-cases.ts';
import { FORMS, Random, expectReferenceBytes, withRandomInputs } from './op-cases.ts';

const OPTIONS = { fuse: true, dsp: true };

/** [1, H, 1, C] * [1, 1, W, C] -> CONV_2D. */
function outerConv(random: Random, shape: readonly [number, number, number], window: Window, filters: number): Graph {
  const [h, w, c] = shape;
  const { graph } = convCase(random, [1, h, w, c], filters, window);
  const image = graph.inputs[0]!;
  const factor = (offset: number, extents: readonly number[]): Tensor => ({
    ...(graph.tensors[image] as Tensor),
    id: (graph.tensors.length + offset) as TensorId,
    shape: extents,
    quantization: { scale: [Math.fround(0.01 * (offset + 1))], zeroPoint: [random.zeroPoint()], axis: 0 },
  });
  const [column, row] = [factor(0, [1, h, 1, c]), factor(1, [1, 1, w, c])];
  const product: Tensor = {
    ...(graph.tensors[image] as Tensor),
    quantization: { ...graph.tensors[image]!.quantization!, scale: [Math.fround(random.pick([0.005, 0.03]))] },
  };
  const mul: Op = { kind: 'MUL', activation: 'NONE', index: 0, inputs: [column.id, row.id], outputs: [image] };
  return {
    ...graph,
    tensors: [...graph.tensors.map((tensor) => (tensor.id === image ? product : tensor)), column, row],
    ops: [mul, ...graph.ops.map((op) => ({ ...op, index: 1 }))],
    inputs: [column.id, row.id],
  };
}

function randomGraph(random: Random): Graph {
  const window: Window = {
    filter: [random.int(1, 4), random.int(1, 4)],
    stride: [random.int(1, 4), random.int(1, 3)],
    dilation: [1, 1],
    padding: random.pick(['SAME', 'VALID']),
  };
  return outerConv(
    random,
    [random.int(4, 12), random.int(4, 12), random.pick([1, 2, 3, 3, 5])],
    window,
    random.int(1, 9),
  );
}

describe.each(FORMS)('int8 convolution over an outer product, %s', (form) => {
  it('should equal product and convolution one after the other', async () => {
    const random = new Random(91);
    const graphs = Array.from({ length: 40 }, () => randomGraph(random));
    const kernels = graphs.map((graph) =>
      lower(graph, OPTIONS)
        .calls.map((call) => call.function)
        .join(),
    );
    expect(kernels.filter((name) => name === 'tl_convolve_outer_s8').length).toBeGreaterThan(25);
    await expectReferenceBytes(
      graphs.map((graph) => withRandomInputs(graph, random)),
      form,
    );
  });
});

describe('fusing an outer product with its convolution', () => {
  const window: Window = { filter: [3, 3], stride: [2, 2], dilation: [1, 1], padding: 'SAME' };
  const graph = outerConv(new Random(92), [64, 64, 3], window, 8);

  it('should hold three rows instead of the image', () => {
    const [call, ...others] = lower(graph, OPTIONS).calls;
    expect(others).toEqual([]);
    expect(call).toMatchObject({ opIndex: 1, fusedOpIndices: [0], reads: graph.inputs });
    // Two columns of 32 int16, and 3 rows of 64 pixels of 3 bytes; the image has 12288.
    expect(call?.scratchBytes).toBe(2 * 2 * 32 + 3 * 64 * 3);
  });

  it('should leave a product alone that others read too, and a mere elementwise one', () => {
    const kernelsOf = (changed: Graph): string[] => lower(changed, OPTIONS).calls.map((call) => call.function);
    const apart = ['tl_broadcast_mul_s8', 'tl_convolve_few_channels_s8'];
    expect(kernelsOf({ ...graph, outputs: [...graph.outputs, graph.ops[0]!.outputs[0]!] })).toEqual(apart);
    const swapped = graph.ops.map((op) => (op.kind === 'MUL' ? { ...op, inputs: [...op.inputs].reverse() } : op));
    expect(kernelsOf({ ...graph, ops: swapped })).toEqual(apart);
  });
});
