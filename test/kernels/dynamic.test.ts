/** Dynamic fixed point kernels against the reference: 0 LSB in every form of both schemes, under sanitizers and on the emulated core. */
import { describe, expect, it } from 'vitest';
import type { TensorId } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { dynamicCase, type DynamicChoice, type FloatBuilder } from './dynamic-cases.ts';
import { FORMS, expectReferenceBytes } from './op-cases.ts';
import type { GraphCase } from './run-graph.ts';

const CHOICES: readonly DynamicChoice[] = (['q', 'asym'] as const).flatMap((scheme) =>
  (['full', 'rows', 'recompute', 'predicted'] as const).map((form) => ({ scheme, form })),
);

/** One picture, or two, through every sort of convolution: any window, strips of both strides, other depthwise windows, 1x1 in place. */
function convolutions(b: FloatBuilder, input: TensorId): TensorId {
  const first = b.conv(input, 4 * b.between(1, 3), b.between(1, 4), b.between(1, 3));
  const strip = b.depthwise(first, 1, 3, 3, 1);
  const pointwise = b.conv(b.conv(strip, 8, 1, 1, true), 8, 1, 1, true);
  const halved = b.depthwise(pointwise, 1, 3, 3, 2);
  const odd = b.conv(halved, b.pick([3, 5, 8]), b.between(1, 3), b.between(1, 3));
  return b.depthwise(odd, b.between(1, 2), b.between(1, 4), b.between(1, 2));
}

/** Depthwise layers in blocks of four channels: windows one tap high, one wide, neither; larger than the input; padded and not. */
function depthwiseBlocks(b: FloatBuilder, input: TensorId): TensorId {
  const wide = b.depthwise(input, 1, 1, b.between(2, 6));
  const high = b.depthwise(wide, 1, b.between(2, 6), 1);
  const square = b.depthwise(high, 1, b.between(2, 5), b.pick([2, 4, 5]));
  return b.depthwise(square, 1, 7, 7);
}

/** Two branches added and concatenated, pooled, averaged, a dense layer, a softmax or none. */
function rest(b: FloatBuilder, input: TensorId): TensorId {
  const [left, right] = [b.conv(input, 4, 1, 1, true), b.conv(input, 4, 2, 2, true)];
  const sum = b.add2(left, right);
  const axis = b.between(1, 3);
  const shape = b.shapeOf(input).map((extent, i) => (i === 3 ? 4 : extent) * (i === axis ? 3 : 1));
  const both = b.push({ kind: 'CONCATENATION', inputs: [sum, right, left], axis, activation: 'NONE' }, shape);
  const window = { filterH: 2, filterW: 2, strideH: 2, strideW: 2, padding: 'SAME', activation: 'NONE' } as const;
  const pooled = shape.map((extent, i) => (i === 1 || i === 2 ? Math.ceil(extent / 2) : extent));
  const pool = b.push({ kind: b.pick(['AVERAGE_POOL_2D', 'MAX_POOL_2D']), inputs: [both], ...window }, pooled);
  const mean = b.push({ kind: 'MEAN', inputs: [pool], axes: [1, 2], keepDims: false }, [1, pooled[3]!]);
  const dense = b.dense(mean, b.between(2, 9));
  return b.pick([true, false]) ? dense : b.push({ kind: 'SOFTMAX', inputs: [dense], beta: 1 }, b.shapeOf(dense));
}

const cases: readonly GraphCase[] = CHOICES.flatMap((choice, c) => [
  dynamicCase(
    100 * c,
    choice,
    (b) => [1 + (c % 2), b.between(5, 9), b.between(5, 9), b.pick([1, 2, 3, 4])],
    convolutions,
  ),
  ...[30, 31, 32].map((seed) =>
    dynamicCase(
      100 * c + seed,
      choice,
      (b) => [b.between(1, 2), b.between(4, 9), b.between(4, 9), b.pick([4, 8, 12])],
      depthwiseBlocks,
    ),
  ),
  dynamicCase(100 * c + 50, choice, (b) => [1, b.between(3, 5), b.between(3, 5), 4], rest),
]);

describe('dynamic fixed point', () => {
  it('should reach every kernel', () => {
    const calls = cases.flatMap(({ graph }) => lower(graph, { fuse: true, dsp: true }).calls);
    expect(new Set(calls.map((call) => call.function))).toEqual(
      new Set([
        ...['tl_convolve_dynamic_s8', 'tl_depthwise_conv_3x3_dynamic_s8', 'tl_depthwise_conv_dynamic_s8'],
        ...['tl_depthwise_conv_3x3_full_dynamic_s8'],
        ...['tl_elementwise_add_dynamic_s8', 'tl_concatenation_dynamic_s8', 'tl_fully_connected_dynamic_s8'],
        ...['tl_softmax_dynamic_s8', 'tl_avgpool_s8', 'tl_max_pool_s8', 'tl_mean_s8'],
      ]),
    );
    expect(calls.some((call) => call.function === 'tl_convolve_dynamic_s8' && call.inPlace.length > 0)).toBe(true);
  });

  it.each(FORMS)('should equal the reference in all forms of both schemes, %s', async (form) => {
    await expectReferenceBytes(cases, form);
  });

  it('should give the same bits for full and recompute', () => {
    const [full, recompute] = (['full', 'recompute'] as const).map((form) => {
      const { graph, inputs } = dynamicCase(7, { scheme: 'asym', form }, () => [1, 8, 8, 4], convolutions);
      return createReference(graph).runOutputs(inputs);
    });
    expect(recompute).toEqual(full);
  });

  it('should start from the range of the frame before where it is predicted', () => {
    const { graph, inputs } = dynamicCase(
      9,
      { scheme: 'asym', form: 'predicted' },
      () => [1, 16, 16, 4],
      (b, input) => {
        const output = b.conv(input, 8, 3, 3);
        // RELU6 would cap the range from the start.
        b.ops[0] = { ...b.ops[0]!, activation: 'NONE' } as (typeof b.ops)[number];
        return output;
      },
    );
    // The upper half is quiet: a range that starts there is too small for the lower one.
    const zero = new Int32Array(inputs[1]!.slice().buffer)[2]!;
    const values = new Int8Array(inputs[0]!.slice().buffer).map((value, i) =>
      i < 512 ? zero + ((value - zero) >> 4) : value,
    );
    const fed = [new Uint8Array(values.buffer), inputs[1]!];
    const reference = createReference(graph);
    const [first, second] = [reference.runOutputs(fed), reference.runOutputs(fed)];
    const ops = graph.ops.map((op) => ({ ...op, dynamic: { ...op.dynamic!, form: 'full' as const } }));
    const full = createReference({ ...graph, ops }).runOutputs(fed);
    expect(second).toEqual(full);
    expect(first).not.toEqual(full);
  });
});
