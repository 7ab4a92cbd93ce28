/** A convolution fused with the ADD behind it against the reference, which runs them one after the other: 0 LSB, in place too. */
import { describe, expect, it } from 'vitest';
import type { Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { convCase, type Window } from './layer-cases.ts';
import { FORMS, Random, expectReferenceBytes, sandwiched, withRandomInputs } from './op-cases.ts';
import { convolutionValuesInC } from './values-in-c.ts';

const OPTIONS = { fuse: true, dsp: true };
const SQUARE: Window = { filter: [3, 3], stride: [1, 1], dilation: [1, 1], padding: 'SAME' };

interface Block {
  readonly shape: readonly [number, number, number, number];
  readonly channels: number;
  /** Scale of the residual relative to the convolution's output: below 1 makes the convolution the wide input. */
  readonly residualScale: number;
  readonly outputScale?: number;
  readonly residualIsFirst: boolean;
}

/** input -> CONV_2D -> ADD with a second graph input -> output. */
function residualBlock(random: Random, { shape, channels, residualScale, outputScale, residualIsFirst }: Block): Graph {
  const { graph } = convCase(random, shape, channels, SQUARE, { activation: 'NONE', outputRange: 1 });
  const sum = graph.outputs[0] as TensorId;
  const sumTensor = graph.tensors[sum] as Tensor;
  const sumScale = sumTensor.quantization?.scale[0] as number;
  const like = (scale: number): Tensor => ({
    ...sumTensor,
    id: (graph.tensors.length + (scale < 0 ? 1 : 0)) as TensorId,
    quantization: { scale: [Math.fround(Math.abs(scale))], zeroPoint: [random.zeroPoint()], axis: 0 },
  });
  const residual = like(sumScale * residualScale);
  const output = like(-sumScale * (outputScale ?? 1.3 * Math.max(1, residualScale)));
  const activation = random.pick(['NONE', 'NONE', 'RELU', 'RELU6'] as const);
  const inputs = residualIsFirst ? [residual.id, sum] : [sum, residual.id];
  const add: Op = { kind: 'ADD', activation, index: 1, inputs, outputs: [output.id] };
  return {
    ...graph,
    tensors: [...graph.tensors, residual, output],
    ops: [...graph.ops, add],
    inputs: [...graph.inputs, residual.id],
    outputs: [output.id],
  };
}

function randomBlocks(random: Random, count: number): Graph[] {
  return Array.from({ length: count }, () =>
    residualBlock(random, {
      shape: [random.int(1, 2), random.int(1, 6), random.int(1, 6), 4 * random.int(1, 3)],
      channels: random.int(1, 9),
      residualScale: random.pick([0.2, 0.7, 1, 1.5, 6]),
      residualIsFirst: random.real() < 0.5,
    }),
  );
}

describe.each(FORMS)('int8 convolution with the ADD behind it, %s', (form) => {
  it('should equal the two one after the other', async () => {
    const random = new Random(81);
    const graphs = randomBlocks(random, 40);
    const fused = graphs.map((graph) => lower(graph, OPTIONS).calls.map((call) => call.function));
    expect(new Set(fused.flat())).toEqual(new Set(['tl_convolve_add_s8']));
    const cases = [...graphs, ...graphs.map(sandwiched)].map((graph) => withRandomInputs(graph, random));
    await expectReferenceBytes(cases, form);
  });
});

describe('fusing a convolution with an ADD', () => {
  const block: Block = { shape: [1, 4, 4, 4], channels: 4, residualScale: 1, residualIsFirst: true };
  const kernelsOf = (graph: Graph, options = OPTIONS): string[] =>
    lower(graph, options).calls.map((call) => call.function);
  const apart = ['tl_convolve_s8', 'tl_elementwise_add_s8'];

  it('should name both ops and let the output take over the residual alone', () => {
    const graph = residualBlock(new Random(82), block);
    const [call] = lower(graph, OPTIONS).calls;
    const residual = graph.inputs[1];
    expect(call).toMatchObject({ opIndex: 0, fusedOpIndices: [1], writes: graph.outputs });
    expect(call?.inPlace).toEqual([{ input: residual, output: graph.outputs[0] }]);
    expect(call?.reads).toEqual([graph.inputs[0], residual]);
  });

  it('should not write over a residual that the convolution reads itself', async () => {
    const random = new Random(88);
    const graphs = [1, 2, 7].map((extent) => {
      const graph = residualBlock(random, { ...block, shape: [1, extent, 5, 4] });
      const [input, residual] = graph.inputs as [TensorId, TensorId];
      const ops = graph.ops.map((op) => ({ ...op, inputs: op.inputs.map((id) => (id === residual ? input : id)) }));
      return { ...graph, ops, inputs: [input] };
    });
    for (const graph of graphs) {
      expect(lower(graph, OPTIONS).calls).toMatchObject([{ function: 'tl_convolve_add_s8', inPlace: [] }]);
    }
    const cases = graphs.map((graph) => withRandomInputs(sandwiched(graph), random));
    await expectReferenceBytes(cases, FORMS[0]);
  });

  it('should plan the scratch that the kernel asks for', () => {
    const random = new Random(87);
    const blocks = [4, 8, 12].flatMap((depth) => [1, 6, 8].map((channels) => ({ depth, channels })));
    const graphs = blocks.map(({ depth, channels }) =>
      residualBlock(random, { ...block, shape: [1, 4, 4, depth], channels }),
    );
    const planned = graphs.map((graph) => lower(graph, OPTIONS).calls[0]?.scratchBytes);
    const expressions = blocks.map(
      ({ depth, channels }) => `tl_convolve_add_s8_get_buffer_size(&(tl_dims){${channels}, 3, 3, ${depth}})`,
    );
    expect(planned).toEqual(convolutionValuesInC(expressions));
  });

  it('should keep them apart when every op is wanted', () => {
    expect(kernelsOf(residualBlock(new Random(83), block), { fuse: false, dsp: true })).toEqual(apart);
  });

  it('should keep them apart when the convolution is read elsewhere', () => {
    const graph = residualBlock(new Random(84), block);
    const sum = graph.ops[0]?.outputs[0] as TensorId;
    expect(kernelsOf({ ...graph, outputs: [...graph.outputs, sum] })).toEqual(apart);
    const twice = graph.ops.map((op) => (op.kind === 'ADD' ? { ...op, inputs: [sum, sum] } : op));
    expect(kernelsOf({ ...graph, ops: twice })).toEqual(apart);
  });

  it('should keep them apart when the convolution has an activation or the sum is hardly scaled', () => {
    const graph = residualBlock(new Random(85), block);
    const active = graph.ops.map((op) => (op.kind === 'CONV_2D' ? { ...op, activation: 'RELU_N1_TO_1' as const } : op));
    expect(kernelsOf({ ...graph, ops: active })).toEqual(apart);
    expect(kernelsOf(residualBlock(new Random(86), { ...block, outputScale: 100 }))).toEqual(apart);
  });
});
