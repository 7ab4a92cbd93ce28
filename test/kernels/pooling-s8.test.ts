/** tl_avgpool_s8, tl_max_pool_s8 and tl_mean_s8 against the reference: 0 LSB, under sanitizers. */
import { describe, expect, it } from 'vitest';
import type { Activation, Padding } from '../../firmware-gen/ir/graph.ts';
import { elementCount } from '../../firmware-gen/ir/graph.ts';
import { meanForm } from '../../firmware-gen/passes/lower/pooling-s8.ts';
import type { GraphCase } from './run-graph.ts';
import { FORMS, Random, expectReferenceBytes, oneOpGraph, withRandomInputs } from './op-cases.ts';

const ACTIVATIONS: readonly Activation[] = ['NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'];

interface Pool {
  readonly kind: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D';
  readonly shape: readonly [number, number, number, number];
  readonly filter: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: Padding;
}

function outputExtent(input: number, filter: number, stride: number, padding: Padding): number {
  return padding === 'SAME' ? Math.ceil(input / stride) : Math.ceil((input - filter + 1) / stride);
}

function poolCase(random: Random, pool: Pool): GraphCase {
  const { kind, shape, filter, stride, padding } = pool;
  const extents = [0, 1].map((i) =>
    outputExtent(shape[i + 1] as number, filter[i] as number, stride[i] as number, padding),
  );
  const quantization = { scale: random.scale(), zeroPoint: random.zeroPoint() };
  const attributes = {
    kind,
    padding,
    filterH: filter[0],
    filterW: filter[1],
    strideH: stride[0],
    strideW: stride[1],
    activation: random.pick(ACTIVATIONS),
  };
  const output = { shape: [shape[0], ...extents, shape[3]], ...quantization };
  return withRandomInputs(oneOpGraph('pool', attributes, [{ shape, ...quantization }], [output]), random);
}

function randomPools(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, () => {
    const shape = [random.int(1, 2), random.int(1, 9), random.int(1, 9), random.int(1, 21)] as const;
    const filter = [random.int(1, shape[1]), random.int(1, shape[2])] as const;
    return poolCase(random, {
      kind: random.pick(['AVERAGE_POOL_2D', 'MAX_POOL_2D']),
      shape,
      filter,
      stride: [random.int(1, 3), random.int(1, 3)],
      padding: random.pick(['SAME', 'VALID']),
    });
  });
}

/** Windows of more than 256 pixels, where halfword sums would overflow, filled with the extremes. */
function largePools(random: Random): GraphCase[] {
  const shapes = [
    [1, 17, 16, 8],
    [1, 1, 600, 9],
    [1, 300, 2, 3],
    [1, 16, 16, 16],
  ] as const;
  return shapes.flatMap((shape) =>
    [0x80, 0x7f].map((byte) => {
      const pool = poolCase(random, {
        kind: 'AVERAGE_POOL_2D',
        shape,
        filter: [shape[1], shape[2]],
        stride: [1, 1],
        padding: 'VALID',
      });
      return { ...pool, inputs: pool.inputs.map((input) => new Uint8Array(input.length).fill(byte)) };
    }),
  );
}

function meanCase(random: Random, shape: readonly number[], axes: readonly number[], keepDims: boolean): GraphCase {
  const isReduced = (axis: number): boolean => axes.includes(axis) || axes.includes(axis - shape.length);
  const kept = shape.map((extent, axis) => (isReduced(axis) ? 1 : extent));
  const outputShape = keepDims ? kept : shape.filter((_, axis) => !isReduced(axis));
  const inputScale = random.scale();
  const input = { shape, scale: inputScale, zeroPoint: random.zeroPoint() };
  const ratio = random.pick([1, 1, 0.25, 0.9, 3]);
  const output = { shape: outputShape, scale: inputScale * ratio, zeroPoint: random.zeroPoint() };
  return withRandomInputs(oneOpGraph('mean', { kind: 'MEAN', axes, keepDims }, [input], [output]), random);
}

function randomMeans(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, () => {
    const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 11));
    const axes = shape.map((_, axis) => axis).filter(() => random.real() < 0.5);
    const signed = axes.map((axis) => (random.real() < 0.5 ? axis : axis - shape.length));
    return meanCase(random, shape, signed.length > 0 ? signed : [0], random.real() < 0.5);
  });
}

describe.each(FORMS)('int8 pooling, %s', (form) => {
  it('should equal the reference for random windows', async () => {
    await expectReferenceBytes(randomPools(new Random(1), 120), form);
  });

  it('should not overflow in windows of more than 256 pixels', async () => {
    await expectReferenceBytes(largePools(new Random(2)), form);
  });

  it('should equal the reference for means over any axes', async () => {
    const random = new Random(3);
    const fixed = [
      meanCase(random, [1, 8, 8, 64], [1, 2], true),
      meanCase(random, [2, 25, 13, 12], [1, 2], false),
      meanCase(random, [3, 5, 7, 9], [0, 2], true),
      meanCase(random, [3, 5, 7, 9], [1, 3], false),
      meanCase(random, [1, 1, 700, 1], [2], true),
    ];
    await expectReferenceBytes([...fixed, ...randomMeans(random, 80)], form);
  });
});

describe('lowering of int8 pooling', () => {
  it('should merge neighbouring axes of MEAN', () => {
    expect(meanForm([2, 5, 7, 3], [1, 2])).toEqual({ outer: 1, reduced_0: 1, middle: 2, reduced_1: 35, inner: 3 });
    expect(meanForm([2, 1, 7, 3], [-1, 0])).toEqual({ outer: 1, reduced_0: 2, middle: 7, reduced_1: 3, inner: 1 });
    expect(meanForm([2, 3, 4, 5, 6], [0, 2, 4])).toBeNull();
    const form = meanForm([4, 3, 2, 5], [0, 2]);
    expect(form && elementCount(Object.values(form))).toBe(120);
  });
});
