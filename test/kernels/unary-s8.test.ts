/** int8 softmax, table activations, QUANTIZE and DEQUANTIZE against the reference: 0 LSB, under sanitizers. */
import { describe, expect, it } from 'vitest';
import type { DType } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import type { GraphCase } from './run-graph.ts';
import type { Attributes, TensorSpec } from './op-cases.ts';
import { FORMS, Random, expectReferenceBytes, oneOpGraph, sandwiched, withRandomInputs } from './op-cases.ts';

const SOFTMAX_OUTPUT = { scale: 1 / 256, zeroPoint: -128 };

function softmaxCases(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, (_, i) => {
    const shape = [random.int(1, 4), random.pick([1, 2, 3, 10, 12, 31, 257])];
    const input = { shape, scale: 2 ** (random.real() * 14 - 12), zeroPoint: random.zeroPoint() };
    const beta = random.pick([1, 1, 0.5, 2.25]);
    const output = { shape, ...SOFTMAX_OUTPUT };
    const graph = oneOpGraph('softmax', { kind: 'SOFTMAX', beta }, [input], [output]);
    return withRandomInputs(i % 2 === 0 ? sandwiched(graph) : graph, random);
  });
}

/** Rows whose values are all equal, or one high and the rest low: the ends of the reciprocal and of diff_min. */
function softmaxExtremes(): GraphCase[] {
  const rows = [
    new Uint8Array(300).fill(0x80),
    new Uint8Array(300).fill(0x7f),
    new Uint8Array(300).fill(0x80).fill(0x7f, 0, 1),
    Uint8Array.from({ length: 300 }, (_, i) => i & 255),
  ];
  return [1e-3, 0.1, 8].flatMap((scale) =>
    rows.map((row) => {
      const shape = [1, row.length];
      const output = { shape, ...SOFTMAX_OUTPUT };
      return { graph: oneOpGraph('row', { kind: 'SOFTMAX', beta: 1 }, [{ shape, scale }], [output]), inputs: [row] };
    }),
  );
}

const EVERY_BYTE = Uint8Array.from({ length: 259 }, (_, i) => i & 255);

function everyByte(
  attributes: Attributes,
  input: Omit<TensorSpec, 'shape'>,
  output: Omit<TensorSpec, 'shape'>,
): GraphCase {
  const shape = [EVERY_BYTE.length];
  const graph = oneOpGraph('table', attributes, [{ shape, ...input }], [{ shape, ...output }]);
  return { graph, inputs: [EVERY_BYTE] };
}

function tableCases(random: Random): GraphCase[] {
  return Array.from({ length: 6 }, () => {
    const input = { scale: 2 ** (random.real() * 8 - 8), zeroPoint: random.zeroPoint() };
    const output = { scale: input.scale * random.pick([1, 0.5, 1.3]), zeroPoint: random.zeroPoint() };
    return [
      everyByte({ kind: 'LOGISTIC' }, input, { scale: 1 / 256, zeroPoint: -128 }),
      everyByte({ kind: 'TANH' }, input, { scale: 1 / 128, zeroPoint: 0 }),
      everyByte({ kind: 'RELU' }, input, output),
      everyByte({ kind: 'RELU6' }, input, input),
      everyByte({ kind: 'LEAKY_RELU', alpha: random.pick([0.1, 0.3, 1.5, -0.2]) }, input, output),
      everyByte({ kind: 'HARD_SWISH' }, input, output),
      everyByte({ kind: 'QUANTIZE' }, input, output),
      everyByte({ kind: 'QUANTIZE' }, input, { ...output, dtype: 'uint8', zeroPoint: output.zeroPoint + 128 }),
      everyByte({ kind: 'QUANTIZE' }, { ...input, dtype: 'uint8', zeroPoint: input.zeroPoint + 128 }, output),
    ];
  }).flat();
}

/** int16 is symmetric in TFLite. */
function zeroPointFor(dtype: DType, random: Random): number {
  return dtype === 'int8' ? random.zeroPoint() : 0;
}

const WIDTH_PAIRS: readonly (readonly [DType, DType])[] = [
  ['int8', 'int16'],
  ['int16', 'int8'],
  ['int16', 'int16'],
];

function requantizeCases(random: Random, count: number): GraphCase[] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = WIDTH_PAIRS[i % WIDTH_PAIRS.length]!;
    const shape = [random.int(1, 70)];
    const scale = random.scale();
    const input = { shape, dtype: from, scale, zeroPoint: zeroPointFor(from, random) };
    const ratio = 2 ** (random.real() * 16 - 8);
    const output = { shape, dtype: to, scale: scale * ratio, zeroPoint: zeroPointFor(to, random) };
    return withRandomInputs(oneOpGraph('requantize', { kind: 'QUANTIZE' }, [input], [output]), random);
  });
}

/** Halves on both sides, the float below a half, saturation, infinities and NaN. */
const HARD_FLOATS = [
  0,
  -0,
  0.5,
  -0.5,
  1.5,
  -1.5,
  0.49999997,
  -0.49999997,
  126.5,
  127.49,
  -128.5,
  1e9,
  -1e9,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  -1e-45,
  1023.5,
  1024.5,
  -1024.5,
];

function floatCases(random: Random): GraphCase[] {
  const quantizations = [
    { scale: 1, zeroPoint: 0 },
    { scale: 1, zeroPoint: -128 },
    { scale: 1, zeroPoint: 127 },
    ...Array.from({ length: 8 }, () => ({ scale: random.scale(), zeroPoint: random.zeroPoint() })),
  ];
  return quantizations.flatMap((quantization) => {
    const shape = [HARD_FLOATS.length];
    const input: TensorSpec = { shape, dtype: 'float32' };
    const graph = oneOpGraph('quantize', { kind: 'QUANTIZE' }, [input], [{ shape, ...quantization }]);
    const unsignedOutput = {
      shape,
      dtype: 'uint8',
      scale: quantization.scale,
      zeroPoint: quantization.zeroPoint + 128,
    } as const;
    const unsigned = oneOpGraph('unsigned', { kind: 'QUANTIZE' }, [input], [unsignedOutput]);
    const scaled = Float32Array.from(HARD_FLOATS, (value) => value * quantization.scale);
    return [
      { graph, inputs: [new Uint8Array(scaled.buffer)] },
      withRandomInputs(graph, random, 200 * quantization.scale),
      { graph: unsigned, inputs: [new Uint8Array(scaled.buffer)] },
      everyByte({ kind: 'DEQUANTIZE' }, quantization, { dtype: 'float32' }),
      everyByte(
        { kind: 'DEQUANTIZE' },
        { ...quantization, dtype: 'uint8', zeroPoint: quantization.zeroPoint + 128 },
        { dtype: 'float32' },
      ),
    ];
  });
}

describe.each(FORMS)('int8 unary kernels, %s', (form) => {
  it('should equal the reference for random softmax rows', async () => {
    await expectReferenceBytes(softmaxCases(new Random(21), 90), form);
  });

  it('should equal the reference for extreme softmax rows', async () => {
    await expectReferenceBytes(softmaxExtremes(), form);
  });

  it('should equal the reference for every input byte of the table ops', async () => {
    await expectReferenceBytes(tableCases(new Random(22)), form);
  });

  it('should equal the reference for QUANTIZE between widths', async () => {
    await expectReferenceBytes(requantizeCases(new Random(23), 84), form);
  });

  it('should equal the reference for QUANTIZE of float and DEQUANTIZE', async () => {
    await expectReferenceBytes(floatCases(new Random(24)), form);
  });
});

describe('lowering of int8 softmax', () => {
  it('should leave rows that overflow the accumulator to no kernel', () => {
    const shape = [1, 4096];
    const graph = oneOpGraph('long', { kind: 'SOFTMAX', beta: 1 }, [{ shape }], [{ shape, ...SOFTMAX_OUTPUT }]);
    expect(() => lower(graph, { fuse: true, dsp: true })).toThrow('op 0 SOFTMAX (int8 -> int8): no kernel');
  });
});
