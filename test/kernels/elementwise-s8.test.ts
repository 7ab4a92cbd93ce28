/** int8 ADD, SUB, MUL, MAXIMUM and MINIMUM against the reference: 0 LSB, every kind of broadcast, in place, under sanitizers. */
import { describe, expect, it } from 'vitest';
import type { Activation } from '../../firmware-gen/ir/graph.ts';
import { multiplyByQuantizedMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import { addScratchBytes } from '../../firmware-gen/passes/lower/elementwise-s8.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import type { GraphCase } from './run-graph.ts';
import type { Attributes, TensorSpec } from './op-cases.ts';
import { FORMS, Random, cValues, expectReferenceBytes, oneOpGraph, sandwiched, withRandomInputs } from './op-cases.ts';

type BinaryKind = 'ADD' | 'SUB' | 'MUL' | 'MAXIMUM' | 'MINIMUM';
const KINDS: readonly BinaryKind[] = ['ADD', 'SUB', 'MUL', 'MAXIMUM', 'MINIMUM'];
const ACTIVATIONS: readonly Activation[] = ['NONE', 'NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'];

function attributesOf(kind: BinaryKind, activation: Activation): Attributes {
  return kind === 'MAXIMUM' || kind === 'MINIMUM' ? { kind } : { kind, activation };
}

/** Scales as converters choose them: the output covers about the range of the result; ratios of the inputs include 1 and powers of two. */
function quantizationOf(random: Random, kind: BinaryKind): [Scaled, Scaled, Scaled] {
  const scale1 = random.scale();
  const scale2 = scale1 * random.pick([1, 0.5, 2, 1 / 3, 0.9, 2 ** random.int(-12, 12), random.real() + 0.5]);
  const natural = kind === 'MUL' ? scale1 * scale2 * 128 : Math.max(scale1, scale2);
  const scales = [scale1, scale2, natural * random.pick([1, 2, 0.5, 0.01, 100, random.real() + 0.3])];
  return scales.map((scale) => ({ scale, zeroPoint: random.zeroPoint() })) as [Scaled, Scaled, Scaled];
}
interface Scaled {
  readonly scale: number;
  readonly zeroPoint: number;
}

function binaryCase(
  random: Random,
  kind: BinaryKind,
  shapes: readonly [readonly number[], readonly number[], readonly number[]],
): GraphCase {
  const quantization = quantizationOf(random, kind);
  const [a, b, output] = shapes.map((shape, i) => ({ shape, ...quantization[i] })) as [
    TensorSpec,
    TensorSpec,
    TensorSpec,
  ];
  const constantB = random.real() < 0.2 ? { ...b, data: random.bytes(b.shape.reduce((x, y) => x * y, 1)) } : b;
  const graph = oneOpGraph('binary', attributesOf(kind, random.pick(ACTIVATIONS)), [a, constantB], [output]);
  return withRandomInputs(random.real() < 0.5 ? sandwiched(graph) : graph, random);
}

function equalShapes(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, (_, i) => {
    const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 9));
    return binaryCase(random, KINDS[i % KINDS.length]!, [shape, shape, shape]);
  });
}

/** Output of up to six dimensions; either input drops leading dimensions and has ones anywhere. */
function broadcasts(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, (_, i) => {
    const output = Array.from({ length: random.int(1, 6) }, () => random.int(1, 5));
    const sides = [0, 1].map(() => output.map((extent) => (random.real() < 0.4 ? 1 : extent)));
    const shape = output.map((_extent, axis) => Math.max(sides[0]![axis]!, sides[1]![axis]!));
    const [a, b] = sides.map((side) => {
      const ones = side.findIndex((extent) => extent > 1);
      const dropped = random.real() < 0.5 ? random.int(0, ones < 0 ? side.length : ones) : 0;
      return side.slice(dropped);
    }) as [number[], number[]];
    // The longer input decides the rank, as in NumPy.
    const rank = Math.max(a.length, b.length);
    return binaryCase(random, KINDS[i % KINDS.length]!, [a, b, shape.slice(shape.length - rank)]);
  });
}

/** All 65536 pairs of values for several quantizations: whatever is rounded, is seen. */
function allPairs(random: Random, kind: BinaryKind, count: number): GraphCase[] {
  const first = Uint8Array.from({ length: 65536 }, (_, i) => i >> 8);
  const second = Uint8Array.from({ length: 65536 }, (_, i) => i & 255);
  return Array.from({ length: count }, () => {
    const [a, b, output] = quantizationOf(random, kind);
    const spec = (scaled: Scaled): TensorSpec => ({ shape: [65536], ...scaled });
    const attributes = attributesOf(kind, random.pick(ACTIVATIONS));
    const graph = oneOpGraph('pairs', attributes, [spec(a), spec(b)], [spec(output)]);
    return { graph, inputs: [first, second] };
  });
}

describe.each(FORMS)('int8 element-wise, %s', (form) => {
  it('should equal the reference for equal shapes, in place and not', async () => {
    await expectReferenceBytes(equalShapes(new Random(11), 100), form);
  });

  it('should equal the reference for broadcasts of up to six dimensions', async () => {
    await expectReferenceBytes(broadcasts(new Random(12), 200), form);
  });

  it('should equal the reference for all pairs of ADD', async () => {
    await expectReferenceBytes(allPairs(new Random(13), 'ADD', 24), form);
  });

  it("should equal the reference for blocks on either side of the table's threshold, in place", async () => {
    const random = new Random(16);
    const cases = [509, 511, 512, 513, 1023].map((count) => binaryCase(random, 'ADD', [[count], [count], [count]]));
    await expectReferenceBytes(cases, form);
  });

  it('should equal the reference for all pairs of SUB and MUL', async () => {
    const random = new Random(14);
    await expectReferenceBytes([...allPairs(random, 'SUB', 8), ...allPairs(random, 'MUL', 8)], form);
  });

  it('should take output scales so small that the sum saturates', async () => {
    const random = new Random(15);
    const ratios = [2 ** -16, 2 ** -17.5, 2 ** -18.9];
    const cases = ratios.map((ratio) => {
      const input = { shape: [512], scale: 0.5, zeroPoint: -3 };
      const graph = oneOpGraph(
        'saturating',
        attributesOf('ADD', 'NONE'),
        [input, input],
        [{ shape: [512], scale: 0.5 * ratio, zeroPoint: 5 }],
      );
      return withRandomInputs(graph, random);
    });
    await expectReferenceBytes(cases, form);
  });
});

describe('tl_add_rescale', () => {
  it.each([[[]], [['-DTL_EMULATE_DSP']]])('should round ties as the reference does, %s', (defines) => {
    const random = new Random(17);
    // Multiplier 2^30 halves exactly, so every shift meets ties, of either sign.
    const calls = Array.from({ length: 31 }, (_, shift) =>
      [2 ** 30, random.int(2 ** 30, 2 ** 31 - 1)].map((multiplier) => ({ shift: -shift, multiplier })),
    )
      .flat()
      .flatMap((rescaling) =>
        [-255, -128, -3, -1, 0, 1, 7, 255].map((value) => ({ ...rescaling, value: value * 2 ** random.int(0, 20) })),
      );
    const expressions = calls.map(
      ({ value, multiplier, shift }) => `tl_add_rescale(${value}, ${multiplier}, ${shift})`,
    );
    const source = 'BasicMathFunctions/tl_elementwise_add_s8.c';
    expect(cValues(source, 'tl_add_support.h', expressions, defines)).toEqual(
      calls.map(({ value, multiplier, shift }) => multiplyByQuantizedMultiplier(value, multiplier, shift)),
    );
  });
});

describe('lowering of int8 element-wise ops', () => {
  it('should ask for the scratch that the kernel asks for', () => {
    const sizes = [1, 511, 512, 100_000];
    const calls = sizes.map((size) => `tl_elementwise_add_s8_get_buffer_size(${size})`);
    const bytes = cValues('BasicMathFunctions/tl_elementwise_add_s8.c', 'tl_basic_math.h', calls);
    expect(sizes.map(addScratchBytes)).toEqual(bytes);
    expect(bytes).toContain(0);
  });

  it('should use the element-wise kernel for equal shapes and allow it in place', () => {
    const spec = { shape: [4, 4] };
    const graph = oneOpGraph('plain', attributesOf('ADD', 'NONE'), [spec, spec], [spec]);
    const { calls } = lower(graph, { fuse: true, dsp: true });
    expect(calls.map((call) => call.function)).toEqual(['tl_elementwise_add_s8']);
    expect(calls[0]?.inPlace).toEqual([
      { input: 0, output: 2 },
      { input: 1, output: 2 },
    ]);
  });

  it('should not let a repeated operand be overwritten', () => {
    const graph = oneOpGraph(
      'row',
      attributesOf('MUL', 'NONE'),
      [{ shape: [3, 4] }, { shape: [4] }],
      [{ shape: [3, 4] }],
    );
    const { calls } = lower(graph, { fuse: true, dsp: true });
    expect(calls[0]?.inPlace).toEqual([{ input: 0, output: 2 }]);
  });
});
