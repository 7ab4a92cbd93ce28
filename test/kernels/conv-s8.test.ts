/** int8 convolution, depthwise convolution and fully connected kernels against the reference: 0 LSB, under sanitizers and on the emulated core. */
import { describe, expect, it } from 'vitest';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { FORMS, Random, expectReferenceBytes, sandwiched } from './op-cases.ts';
import type { GraphCase } from './run-graph.ts';
import type { LayerChoice, Window } from './layer-cases.ts';
import { convCase, depthwiseCase, fullyConnectedCase } from './layer-cases.ts';

function kernelOf({ graph }: GraphCase): string | undefined {
  return lower(graph, { fuse: true, dsp: true }).calls[0]?.function;
}

function randomWindow(random: Random, shape: readonly number[]): Window {
  const dilation = [random.pick([1, 1, 1, 2]), random.pick([1, 1, 1, 3])] as const;
  const largest = (axis: 0 | 1): number => Math.floor(((shape[axis + 1] as number) - 1) / dilation[axis]) + 1;
  return {
    filter: [random.int(1, Math.min(5, largest(0))), random.int(1, Math.min(5, largest(1)))],
    stride: [random.int(1, 3), random.int(1, 3)],
    dilation,
    padding: random.pick(['SAME', 'VALID']),
  };
}

function randomShape(random: Random, channels: number): [number, number, number, number] {
  return [random.int(1, 2), random.int(1, 9), random.int(1, 9), channels];
}

const UNIT: Window = { filter: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'SAME' };
const SQUARE: Window = { ...UNIT, filter: [3, 3] };

describe.each(FORMS)('int8 convolution, %s', (form) => {
  it('should equal the reference for random windows over 4n channels', async () => {
    const random = new Random(11);
    const cases = Array.from({ length: 60 }, () => {
      const shape = randomShape(random, 4 * random.int(1, 6));
      return convCase(random, shape, random.int(1, 19), randomWindow(random, shape));
    });
    expect(new Set(cases.map(kernelOf))).toContain('tl_convolve_s8');
    await expectReferenceBytes(cases, form);
  });

  it('should equal the reference for random windows over any channels', async () => {
    const random = new Random(12);
    const cases = Array.from({ length: 60 }, () => {
      const shape = randomShape(random, random.int(1, 7));
      return convCase(random, shape, random.int(1, 13), randomWindow(random, shape));
    });
    expect(new Set(cases.map(kernelOf))).toContain('tl_convolve_few_channels_s8');
    await expectReferenceBytes(cases, form);
  });

  it('should equal the reference for 1x1 windows, in place too', async () => {
    const random = new Random(13);
    const cases = Array.from({ length: 30 }, () => {
      const channels = 4 * random.int(1, 9);
      const stride = [random.int(1, 2), random.int(1, 2)] as const;
      return convCase(random, randomShape(random, channels), random.int(1, channels + 3), { ...UNIT, stride });
    });
    expect(cases.map(kernelOf)).toContain('tl_convolve_1x1_s8');
    const inPlace = cases.map(({ graph, inputs }) => ({ graph: sandwiched(graph), inputs }));
    await expectReferenceBytes([...cases, ...inPlace], form);
  });

  it('should give grouped, unsymmetric and hardly scaled layers to the general kernel', async () => {
    const random = new Random(14);
    const shape = [1, 5, 4, 8];
    const choices: LayerChoice[] = [{ smallestWeight: -128 }, { outputRange: 1e-4 }, { outputRange: 1e-3 }];
    const cases = choices.map((choice) => convCase(random, shape, 6, SQUARE, choice));
    cases.push(convCase(random, shape, 6, SQUARE, {}, 2), convCase(random, shape, 8, UNIT, {}, 8));
    expect(cases.map(kernelOf)).toEqual(cases.map(() => 'tl_convolve_general_s8'));
    await expectReferenceBytes(cases, form);
  });
});

describe.each(FORMS)('int8 layers whose sums are often ties, %s', (form) => {
  it('should round them as TFLite does, on either side of zero', async () => {
    const random = new Random(51);
    const cases = [4, 8, 64, 1024].flatMap((divisor) => [
      convCase(random, [1, 4, 5, 4], 7, UNIT, { divisor }),
      convCase(random, [1, 5, 4, 3], 8, SQUARE, { divisor }),
      depthwiseCase(random, [1, 5, 6, 8], 1, SQUARE, { divisor }),
      depthwiseCase(random, [1, 5, 6, 8], 1, { ...SQUARE, stride: [2, 2] }, { divisor }),
      depthwiseCase(random, [1, 5, 6, 8], 1, { ...SQUARE, stride: [1, 2] }, { divisor }),
      fullyConnectedCase(random, 3, 20, 9, { divisor }),
    ]);
    expect(cases.map(kernelOf).filter((name) => name?.includes('general'))).toEqual([]);
    await expectReferenceBytes(cases, form);
  });
});

describe.each(FORMS)('int8 layers with channels that are constant, %s', (form) => {
  it('should equal the reference and keep their fast kernels', async () => {
    const random = new Random(41);
    const choice: LayerChoice = { hasDeadChannels: true, perChannel: true };
    const cases = Array.from({ length: 6 }, () => [
      convCase(random, [1, 4, 5, 8], 11, UNIT, choice),
      convCase(random, [1, 5, 4, 3], 8, SQUARE, choice),
      depthwiseCase(random, [1, 5, 6, 8], 1, SQUARE, choice),
      depthwiseCase(random, [1, 5, 6, 8], 1, { ...SQUARE, stride: [2, 3] }, choice),
      fullyConnectedCase(random, 1, 20, 9, choice),
    ]).flat();
    expect(cases.map(kernelOf).filter((name) => name?.includes('general'))).toEqual([]);
    await expectReferenceBytes(cases, form);
  });
});

describe.each(FORMS)('int8 depthwise convolution, %s', (form) => {
  it('should equal the reference for random windows', async () => {
    const random = new Random(21);
    const cases = Array.from({ length: 80 }, () => {
      const shape = randomShape(random, 4 * random.int(1, 4));
      return depthwiseCase(random, shape, 1, randomWindow(random, shape));
    });
    await expectReferenceBytes(cases, form);
  });

  it('should take a single input channel for the convolution that it is', async () => {
    const random = new Random(25);
    const cases = Array.from({ length: 20 }, () => {
      const shape = randomShape(random, 1);
      return depthwiseCase(random, shape, random.int(2, 9), randomWindow(random, shape));
    });
    expect(new Set(cases.map(kernelOf))).toEqual(new Set(['tl_convolve_few_channels_s8']));
    await expectReferenceBytes(cases, form);
  });

  it('should equal the reference for any channels and depth multipliers', async () => {
    const random = new Random(22);
    const cases = Array.from({ length: 40 }, () => {
      const shape = randomShape(random, random.int(1, 6));
      return depthwiseCase(random, shape, random.int(1, 4), randomWindow(random, shape));
    });
    await expectReferenceBytes(cases, form);
  });

  it('should equal the reference for 3x3 windows of every border', async () => {
    const random = new Random(23);
    const cases = [1, 2, 3, 4, 5, 8].flatMap((h) =>
      [1, 2, 3, 5, 6].flatMap((w) => [
        depthwiseCase(random, [1, h, w, 4], 1, SQUARE),
        depthwiseCase(random, [2, w, h, 8], 1, SQUARE),
      ]),
    );
    expect(new Set(cases.map(kernelOf))).toEqual(new Set(['tl_depthwise_conv_3x3_s8']));
    const inPlace = cases.map(({ graph, inputs }) => ({ graph: sandwiched(graph), inputs }));
    await expectReferenceBytes([...cases, ...inPlace], form);
  });

  it('should equal the reference for 3x3 windows of stride 2 and for unpadded ones', async () => {
    const random = new Random(24);
    const cases = [3, 4, 5, 6, 7, 8].flatMap((h) =>
      [3, 4, 5, 6, 9].flatMap((w) => [
        depthwiseCase(random, [1, h, w, 4], 1, { ...SQUARE, stride: [2, 2] }),
        depthwiseCase(random, [2, w, h, 8], 1, { ...SQUARE, stride: [2, 2], padding: 'VALID' }),
        depthwiseCase(random, [1, h, w, 4], 1, { ...SQUARE, padding: 'VALID' }),
      ]),
    );
    expect(new Set(cases.map(kernelOf))).toEqual(
      new Set(['tl_depthwise_conv_3x3_s8', 'tl_depthwise_conv_3x3_stride2_s8']),
    );
    await expectReferenceBytes(cases, form);
  });
});

describe.each(FORMS)('int8 fully connected, %s', (form) => {
  it('should equal the reference for random sizes, weights per tensor and per unit', async () => {
    const random = new Random(31);
    const cases = Array.from({ length: 60 }, () =>
      fullyConnectedCase(
        random,
        random.int(1, 3),
        random.pick([random.int(1, 9), random.int(10, 140)]),
        random.int(1, 14),
      ),
    );
    expect(new Set(cases.map(kernelOf))).toEqual(
      new Set(['tl_fully_connected_s8', 'tl_fully_connected_per_channel_s8']),
    );
    await expectReferenceBytes(cases, form);
  });

  it('should give what the fast kernels cannot take to the general one', async () => {
    const random = new Random(32);
    const choices: LayerChoice[] = [
      { smallestWeight: -128, perChannel: true },
      { outputRange: 1e-4, perChannel: false },
      { outputRange: 1e-3, perChannel: true },
    ];
    const cases = choices.map((choice) => fullyConnectedCase(random, 2, 33, 7, choice));
    const offset = fullyConnectedCase(random, 1, 12, 5, { perChannel: false });
    const tensors = offset.graph.tensors.map((tensor, id) =>
      id === 1 ? { ...tensor, quantization: { scale: [0.01], zeroPoint: [7], axis: 0 } } : tensor,
    );
    cases.push({ ...offset, graph: { ...offset.graph, tensors } });
    expect(cases.map(kernelOf)).toEqual(cases.map(() => 'tl_fully_connected_general_s8'));
    await expectReferenceBytes(cases, form);
  });
});
