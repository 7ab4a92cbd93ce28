/**
 * float32 kernels on this machine under sanitizers and on the emulated core: every bit as the TypeScript reference, special values included.
 * NaNs count as equal whatever their payload, which IEEE 754 leaves to the machine.
 */
import { describe, expect, it } from 'vitest';
import type { Activation, Padding } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import type { GraphCase } from './run-graph.ts';
import { expectSameOutputs, runOnHost, runOnTarget } from './run-graph.ts';
import type { OpAttributes } from './single-op.ts';
import { Random } from './op-cases.ts';
import { caseOf, floats, outputExtent, singleOp } from './single-op.ts';

const ACTIVATIONS: readonly Activation[] = ['NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'];
/** Zeros, subnormals, the exp and tanh thresholds and their neighbours, halves, infinities, NaN. */
const SPECIAL = Float32Array.from([
  0,
  -0,
  1e-45,
  -1e-40,
  1.1754943e-38,
  0.625,
  -0.62499994,
  9,
  -9,
  -9.000001,
  9.5,
  9.4999,
  16.619047,
  16.61905,
  -87.33654,
  -87.33655,
  -88,
  88.72283,
  88.72284,
  89,
  -103.9,
  3,
  -3,
  2.9999998,
  6,
  6.0000005,
  3.4028235e38,
  -3.4028235e38,
  Infinity,
  -Infinity,
  NaN,
  1.5,
  -2.5,
]);

function canonicalNans(bytes: Uint8Array): Uint8Array {
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  for (const [index, value] of values.entries()) if (Number.isNaN(value)) values[index] = NaN;
  return new Uint8Array(values.buffer);
}

async function expectEqualToReference(cases: readonly GraphCase[]): Promise<void> {
  const onHost = await runOnHost(cases, { dsp: 'off', fuse: true });
  const onTarget = await runOnTarget(cases, { fuse: true });
  for (const [index, { graph, inputs }] of cases.entries()) {
    const expected = createReference(graph).run(inputs).outputs.map(canonicalNans);
    expectSameOutputs(graph, onHost[index]!.map(canonicalNans), expected, `case ${index} on the host`);
    expectSameOutputs(graph, onTarget[index]!.outputs.map(canonicalNans), expected, `case ${index} on the core`);
  }
}

const float = (shape: readonly number[], values?: Float32Array) => ({
  dtype: 'float32' as const,
  shape,
  ...(values ? { values } : {}),
});

interface ConvCase {
  readonly input: readonly [number, number, number, number];
  readonly filter: readonly [number, number];
  readonly outC: number;
  readonly groups?: number;
  readonly stride?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly padding: Padding;
  readonly bias?: boolean;
}

function convCase(kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D', c: ConvCase, seed: number): GraphCase {
  const random = new Random(seed);
  const [n, h, w, inC] = c.input;
  const [[filterH, filterW], [strideH, strideW], [dilationH, dilationW]] = [
    c.filter,
    c.stride ?? [1, 1],
    c.dilation ?? [1, 1],
  ];
  const isConv = kind === 'CONV_2D';
  const filterShape = isConv ? [c.outC, filterH, filterW, inC / (c.groups ?? 1)] : [1, filterH, filterW, c.outC];
  const output = [
    n,
    outputExtent(c.padding, h, filterH, strideH, dilationH),
    outputExtent(c.padding, w, filterW, strideW, dilationW),
    c.outC,
  ];
  const window = { padding: c.padding, strideH, strideW, dilationH, dilationW, activation: ACTIVATIONS[seed % 4]! };
  const attributes: OpAttributes = isConv
    ? { kind, ...window }
    : { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: c.outC / inC, ...window };
  const graph = singleOp(
    `${kind.toLowerCase()}_${seed}`,
    attributes,
    [
      float(c.input),
      float(filterShape, floats(random, filterShape)),
      c.bias === false ? null : float([c.outC], floats(random, [c.outC])),
    ],
    [float(output)],
  );
  return caseOf(graph, floats(random, c.input, 3));
}

const CONVOLUTIONS: readonly ConvCase[] = [
  { input: [1, 5, 5, 3], filter: [3, 3], outC: 8, padding: 'SAME' },
  { input: [2, 6, 7, 5], filter: [3, 2], outC: 7, stride: [2, 2], padding: 'SAME' },
  { input: [1, 9, 8, 4], filter: [1, 1], outC: 6, padding: 'VALID', bias: false },
  { input: [1, 9, 10, 2], filter: [3, 3], outC: 5, dilation: [2, 3], padding: 'SAME' },
  { input: [1, 9, 10, 6], filter: [3, 2], outC: 8, groups: 2, padding: 'SAME' },
  { input: [1, 9, 9, 6], filter: [2, 2], outC: 9, groups: 3, stride: [1, 2], dilation: [2, 2], padding: 'VALID' },
  { input: [1, 1, 1, 1], filter: [5, 5], outC: 1, padding: 'SAME' },
  { input: [1, 2, 13, 5], filter: [2, 3], outC: 6, padding: 'SAME' },
  { input: [1, 3, 5, 4], filter: [1, 1], outC: 5, padding: 'SAME' },
  { input: [1, 20, 3, 1], filter: [10, 4], outC: 13, stride: [2, 2], padding: 'SAME' },
];

const DEPTHWISE: readonly ConvCase[] = [
  { input: [1, 5, 6, 9], filter: [3, 3], outC: 9, padding: 'SAME' },
  { input: [2, 7, 7, 4], filter: [3, 3], outC: 4, stride: [2, 2], padding: 'VALID', bias: false },
  { input: [1, 7, 8, 3], filter: [2, 3], outC: 15, padding: 'SAME' },
  { input: [1, 9, 8, 1], filter: [4, 3], outC: 7, stride: [2, 1], padding: 'SAME' },
  { input: [1, 9, 8, 2], filter: [3, 3], outC: 8, dilation: [2, 3], padding: 'SAME' },
  { input: [1, 2, 2, 5], filter: [5, 5], outC: 5, padding: 'SAME' },
];

function poolCases(kind: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D'): GraphCase[] {
  return (['SAME', 'VALID'] as const).flatMap((padding, seed) =>
    [
      { input: [1, 5, 7, 3], filter: [2, 3], stride: [2, 1] },
      { input: [2, 4, 4, 8], filter: [4, 4], stride: [4, 4] },
      { input: [1, 6, 5, 5], filter: [3, 3], stride: [1, 3] },
    ].map(({ input, filter, stride }, index) => {
      const [n, h, w, c] = input as [number, number, number, number];
      const [filterH, filterW] = filter as [number, number];
      const [strideH, strideW] = stride as [number, number];
      const output = [n, outputExtent(padding, h, filterH, strideH), outputExtent(padding, w, filterW, strideW), c];
      const activation = ACTIVATIONS[index % 4]!;
      const attributes = { kind, padding, filterH, filterW, strideH, strideW, activation };
      const graph = singleOp(`${kind}_${padding}_${index}`.toLowerCase(), attributes, [float(input)], [float(output)]);
      const values = floats(new Random(seed * 10 + index), input, 8);
      if (index === 2) values.set(SPECIAL, 3);
      return caseOf(graph, values);
    }),
  );
}

describe('float32 kernels', () => {
  it('should convolve: strides, dilation, groups, padding, odd channels, without bias', async () => {
    await expectEqualToReference(CONVOLUTIONS.map((c, seed) => convCase('CONV_2D', c, seed)));
  });

  it('should convolve depthwise: multiplier 1 and more, strides, dilation, windows larger than the input', async () => {
    await expectEqualToReference(DEPTHWISE.map((c, seed) => convCase('DEPTHWISE_CONV_2D', c, seed)));
  });

  it('should compute fully connected layers for one and several rows', async () => {
    const cases = [
      [1, 17, 9],
      [2, 8, 4],
      [7, 5, 5],
      [1, 1, 6],
    ].map(([rows, inputs, units], seed) => {
      const random = new Random(seed);
      const [x, w] = [
        [rows!, inputs!],
        [units!, inputs!],
      ];
      const graph = singleOp(
        `fully_connected_${seed}`,
        { kind: 'FULLY_CONNECTED', activation: ACTIVATIONS[seed]!, keepNumDims: false },
        [float(x), float(w, floats(random, w)), seed === 1 ? null : float([units!], floats(random, [units!]))],
        [float([rows!, units!])],
      );
      return caseOf(graph, floats(random, x, 3));
    });
    await expectEqualToReference(cases);
  });

  it('should pool by average and by maximum', async () => {
    await expectEqualToReference([...poolCases('AVERAGE_POOL_2D'), ...poolCases('MAX_POOL_2D')]);
  });

  it('should average over any axes', async () => {
    const shape = [2, 3, 4, 5];
    const cases = [[1, 2], [0], [3], [1, 3], [0, 2], [0, 1, 2, 3], [2, 3]].map((axes, seed) => {
      const output = shape.filter((_, axis) => !axes.includes(axis));
      const graph = singleOp(`mean_${seed}`, { kind: 'MEAN', axes, keepDims: false }, [float(shape)], [float(output)]);
      return caseOf(graph, floats(new Random(seed), shape, 4));
    });
    await expectEqualToReference(cases);
  });

  it('should broadcast ADD, SUB, MUL, MAXIMUM and MINIMUM', async () => {
    const shapes = [
      [
        [2, 3, 4, 5],
        [2, 3, 4, 5],
      ],
      [[2, 3, 4, 5], [5]],
      [[1], [2, 3, 4, 5]],
      [
        [2, 1, 4, 1],
        [2, 3, 1, 5],
      ],
      [
        [4, 1, 1, 3],
        [1, 5, 2, 1],
      ],
      [[33], [33]],
    ] as const;
    const kinds = ['ADD', 'SUB', 'MUL', 'MAXIMUM', 'MINIMUM'] as const;
    const cases = kinds.flatMap((kind, k) =>
      shapes.map(([a, b], seed) => {
        const rank = Math.max(a.length, b.length);
        const output = Array.from({ length: rank }, (_, i) =>
          Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1),
        );
        const activation = ACTIVATIONS[(seed + k) % 4]!;
        const attributes: OpAttributes = kind === 'MAXIMUM' || kind === 'MINIMUM' ? { kind } : { kind, activation };
        const graph = singleOp(`${kind}_${seed}`.toLowerCase(), attributes, [float(a), float(b)], [float(output)]);
        const random = new Random(seed * 7 + k);
        return seed === 5
          ? caseOf(graph, SPECIAL, Float32Array.from(SPECIAL).reverse())
          : caseOf(graph, floats(random, a, 5), floats(random, b, 5));
      }),
    );
    await expectEqualToReference(cases);
  });

  it('should compute activations over random and special values', async () => {
    const kinds: readonly OpAttributes[] = [
      { kind: 'LOGISTIC' },
      { kind: 'TANH' },
      { kind: 'RELU' },
      { kind: 'RELU6' },
      { kind: 'HARD_SWISH' },
      { kind: 'LEAKY_RELU', alpha: 0.2 },
      { kind: 'LEAKY_RELU', alpha: -1.7 },
    ];
    const random = new Random(5);
    const scales = [1, 12, 100];
    const values = Float32Array.from([...SPECIAL, ...scales.flatMap((scale) => [...floats(random, [4000], scale)])]);
    const cases = kinds.map((attributes, index) =>
      caseOf(singleOp(`unary_${index}`, attributes, [float([values.length])], [float([values.length])]), values),
    );
    await expectEqualToReference(cases);
  });

  it('should compute softmax, rows of infinities and NaN included', async () => {
    const rows = [12, 11];
    const cases = [1, 0.37, 20].map((beta, seed) =>
      caseOf(
        singleOp(`softmax_${seed}`, { kind: 'SOFTMAX', beta }, [float(rows)], [float(rows)]),
        floats(new Random(seed), rows, 15),
      ),
    );
    const special = caseOf(
      singleOp('softmax_special', { kind: 'SOFTMAX', beta: 1 }, [float([3, 11])], [float([3, 11])]),
      SPECIAL,
    );
    await expectEqualToReference([...cases, special]);
  });

  it('should notice a different order of summation', () => {
    const sum = (values: readonly number[]): number => values.reduce((total, value) => Math.fround(total + value), 0);
    const values = [...floats(new Random(1), [1000])];
    expect(sum(values)).not.toBe(sum(values.reverse()));
  });
});
