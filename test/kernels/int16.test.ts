/**
 * 16x8 and 16x16 kernels on this machine under sanitizers, pure C and emulated DSP, and on the emulated core, against the reference where the vectors
 * (int16-vectors.test.ts) do not reach: sums longer than 32 bits hold, extreme values, odd extents, groups, int32 bias.
 */
import { describe, expect, it } from 'vitest';
import type { Activation, Padding, Quantization } from '../../firmware-gen/ir/graph.ts';
import { elementCount } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import type { GraphCase } from './run-graph.ts';
import { expectSameOutputs, runOnHost, runOnTarget } from './run-graph.ts';
import type { OpAttributes, TensorSpec } from './single-op.ts';
import { Random } from './op-cases.ts';
import { caseOf, outputExtent, perTensor, singleOp } from './single-op.ts';

const ACTIVATIONS: readonly Activation[] = ['NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'];
type Fill = 'random' | 'lowest' | 'highest';

async function expectEqualToReference(cases: readonly GraphCase[]): Promise<void> {
  const onTarget = await runOnTarget(cases, { fuse: true });
  for (const [index, { graph, inputs }] of cases.entries()) {
    expectSameOutputs(graph, onTarget[index]!.outputs, createReference(graph).run(inputs).outputs, 'on the core');
  }
  for (const dsp of ['off', 'emulated'] as const) {
    const results = await runOnHost(cases, { dsp, fuse: true });
    for (const [index, { graph, inputs }] of cases.entries()) {
      expectSameOutputs(graph, results[index]!, createReference(graph).run(inputs).outputs, `dsp ${dsp}`);
    }
  }
}

function int16s(random: Random, shape: readonly number[], fill: Fill = 'random'): Int16Array {
  const value = { random: () => random.int(-32768, 32767), lowest: () => -32768, highest: () => 32767 }[fill];
  return Int16Array.from({ length: elementCount(shape) }, value);
}

function int8s(random: Random, shape: readonly number[], fill: Fill = 'random'): Int8Array {
  const value = { random: () => random.int(-128, 127), lowest: () => -128, highest: () => 127 }[fill];
  return Int8Array.from({ length: elementCount(shape) }, value);
}

function activation(shape: readonly number[], scale: number): TensorSpec {
  return { dtype: 'int16', shape, quantization: perTensor(scale) };
}

function bias(random: Random, channels: number, kind: 'int64' | 'int32' | 'none'): TensorSpec | null {
  if (kind === 'none') return null;
  const values = Int32Array.from({ length: channels }, () => random.int(-(2 ** 24), 2 ** 24));
  if (kind === 'int32') return { dtype: 'int32', shape: [channels], values };
  return { dtype: 'int64', shape: [channels], values: BigInt64Array.from(values, (value) => BigInt(value)) };
}

function channelScales(channels: number, axis: number, bits: Bits): Quantization {
  const step = bits === 16 ? 0.0001 / 256 : 0.0001;
  return {
    scale: Array.from({ length: channels }, (_, c) => Math.fround(step * (1 + (c % 7)))),
    zeroPoint: new Array<number>(channels).fill(0),
    axis,
  };
}

type Bits = 8 | 16;

/** Values of a filter. */
function weightsOf(random: Random, shape: readonly number[], fill: Fill | undefined, bits: Bits): TensorSpec {
  if (bits === 16) return { dtype: 'int16', shape, values: int16s(random, shape, fill) };
  return { dtype: 'int8', shape, values: int8s(random, shape, fill) };
}

/** int16 weights have sums of 64 bits only. */
const biasKind = <K extends string>(kind: K, bits: Bits): K | 'int64' =>
  bits === 16 && kind === 'int32' ? 'int64' : kind;

interface LayerCase {
  readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D';
  readonly input: readonly [number, number, number, number];
  readonly filter: readonly [number, number];
  readonly outC: number;
  readonly groups?: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly padding: Padding;
  readonly bias: 'int64' | 'int32' | 'none';
  readonly outputScale: number;
  readonly fill?: Fill;
}

const LAYERS: readonly LayerCase[] = [
  { kind: 'CONV_2D', input: [1, 5, 5, 3], filter: [3, 3], outC: 6, padding: 'SAME', bias: 'int64', outputScale: 0.01 },
  {
    kind: 'CONV_2D',
    input: [2, 6, 7, 5],
    filter: [3, 2],
    outC: 9,
    stride: 2,
    padding: 'VALID',
    bias: 'int32',
    outputScale: 0.05,
  },
  {
    kind: 'CONV_2D',
    input: [1, 7, 9, 4],
    filter: [3, 3],
    outC: 4,
    dilation: 2,
    padding: 'SAME',
    bias: 'none',
    outputScale: 0.02,
  },
  {
    kind: 'CONV_2D',
    input: [1, 4, 5, 6],
    filter: [2, 2],
    outC: 8,
    groups: 2,
    padding: 'SAME',
    bias: 'int64',
    outputScale: 0.01,
  },
  { kind: 'CONV_2D', input: [1, 2, 2, 700], filter: [1, 1], outC: 5, padding: 'SAME', bias: 'int64', outputScale: 1 },
  {
    kind: 'CONV_2D',
    input: [1, 1, 3, 600],
    filter: [1, 3],
    outC: 5,
    padding: 'VALID',
    bias: 'int64',
    outputScale: 40,
    fill: 'lowest',
  },
  {
    kind: 'CONV_2D',
    input: [1, 1, 2, 515],
    filter: [1, 2],
    outC: 4,
    padding: 'SAME',
    bias: 'none',
    outputScale: 40,
    fill: 'highest',
  },
  {
    kind: 'CONV_2D',
    input: [1, 1, 3, 600],
    filter: [1, 3],
    outC: 5,
    padding: 'VALID',
    bias: 'int32',
    outputScale: 40,
    fill: 'lowest',
  },
  {
    kind: 'DEPTHWISE_CONV_2D',
    input: [1, 5, 6, 9],
    filter: [3, 3],
    outC: 9,
    padding: 'SAME',
    bias: 'int64',
    outputScale: 0.01,
  },
  {
    kind: 'DEPTHWISE_CONV_2D',
    input: [2, 7, 7, 3],
    filter: [2, 3],
    outC: 15,
    stride: 2,
    padding: 'SAME',
    bias: 'none',
    outputScale: 0.01,
  },
  {
    kind: 'DEPTHWISE_CONV_2D',
    input: [1, 9, 8, 2],
    filter: [3, 3],
    outC: 8,
    dilation: 3,
    padding: 'SAME',
    bias: 'int64',
    outputScale: 0.01,
  },
  {
    kind: 'DEPTHWISE_CONV_2D',
    input: [1, 23, 23, 5],
    filter: [23, 23],
    outC: 5,
    padding: 'SAME',
    bias: 'int64',
    outputScale: 9,
    fill: 'lowest',
  },
];

function layerCase(c: LayerCase, seed: number, bits: Bits): GraphCase {
  const random = new Random(seed);
  const [n, h, w, inC] = c.input;
  const [[filterH, filterW], stride, dilation] = [c.filter, c.stride ?? 1, c.dilation ?? 1];
  const isConv = c.kind === 'CONV_2D';
  const filterShape = isConv ? [c.outC, filterH, filterW, inC / (c.groups ?? 1)] : [1, filterH, filterW, c.outC];
  const extent = (input: number, filter: number): number => outputExtent(c.padding, input, filter, stride, dilation);
  const output = [n, extent(h, filterH), extent(w, filterW), c.outC];
  const window = { padding: c.padding, strideH: stride, strideW: stride, dilationH: dilation, dilationW: dilation };
  const common = { ...window, activation: ACTIVATIONS[seed % 4]! };
  const attributes: OpAttributes = isConv
    ? { kind: 'CONV_2D', ...common }
    : { kind: 'DEPTHWISE_CONV_2D', depthMultiplier: c.outC / inC, ...common };
  const weights: TensorSpec = {
    ...weightsOf(random, filterShape, c.fill === 'highest' ? 'lowest' : c.fill, bits),
    quantization: channelScales(c.outC, isConv ? 0 : 3, bits),
  };
  const inputs = [activation(c.input, 0.001), weights, bias(random, c.outC, biasKind(c.bias, bits))];
  const graph = singleOp(`${c.kind.toLowerCase()}_${seed}`, attributes, inputs, [activation(output, c.outputScale)]);
  return caseOf(graph, int16s(random, c.input, c.fill));
}

describe.each([8, 16] as const)('kernels of int16 activations and %i-bit weights', (bits) => {
  it('should convolve: groups, dilation, long sums of extreme values, every kind of bias', async () => {
    await expectEqualToReference(LAYERS.map((layer, seed) => layerCase(layer, seed, bits)));
  });

  it('should compute fully connected layers, per tensor and per channel, longer than one 32-bit sum', async () => {
    const cases = [
      { rows: 1, inputs: 1037, units: 9, bias: 'int64', fill: 'random', perChannel: false },
      { rows: 3, inputs: 30, units: 4, bias: 'int32', fill: 'random', perChannel: true },
      { rows: 1, inputs: 2048, units: 6, bias: 'none', fill: 'lowest', perChannel: true },
      { rows: 2, inputs: 1, units: 3, bias: 'int64', fill: 'highest', perChannel: false },
    ] as const;
    await expectEqualToReference(
      cases.map((c, seed) => {
        const random = new Random(seed);
        const weights: TensorSpec = {
          ...weightsOf(random, [c.units, c.inputs], c.fill, bits),
          quantization: c.perChannel ? channelScales(c.units, 0, bits) : perTensor(bits === 16 ? 0.004 / 256 : 0.004),
        };
        const graph = singleOp(
          `fully_connected_${seed}`,
          { kind: 'FULLY_CONNECTED', activation: ACTIVATIONS[seed]!, keepNumDims: false },
          [activation([c.rows, c.inputs], 0.0007), weights, bias(random, c.units, biasKind(c.bias, bits))],
          [activation([c.rows, c.units], 0.9)],
        );
        return caseOf(graph, int16s(random, [c.rows, c.inputs], c.fill));
      }),
    );
  });

  it('should be tested where outputs differ: most layers are neither saturated nor constant', () => {
    const cases = LAYERS.map((layer, seed) => layerCase(layer, seed, bits));
    const distinct = cases.map(({ graph, inputs }) => {
      const [output] = createReference(graph).run(inputs).outputs;
      return new Set(new Int16Array(output!.buffer)).size;
    });
    expect(distinct.filter((count) => count >= 10).length).toBeGreaterThanOrEqual(8);
  });
});

describe('16x8 kernels', () => {
  it('should add, subtract and multiply extreme values and broadcast', async () => {
    const shapes = [
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      [[2, 3, 4], [4]],
      [
        [2, 1, 4],
        [3, 1],
      ],
    ] as const;
    const cases = (['ADD', 'SUB', 'MUL', 'MAXIMUM', 'MINIMUM'] as const).flatMap((kind, k) =>
      shapes.map(([a, b], seed) => {
        const rank = Math.max(a.length, b.length);
        const output = Array.from({ length: rank }, (_, i) =>
          Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1),
        );
        const isExtremum = kind === 'MAXIMUM' || kind === 'MINIMUM';
        const attributes: OpAttributes = isExtremum ? { kind } : { kind, activation: ACTIVATIONS[(seed + k) % 4]! };
        const [scaleA, scaleB, scale] = isExtremum ? [0.001, 0.001, 0.001] : [0.001, 0.0033, 0.002];
        const graph = singleOp(
          `${kind}_${seed}`.toLowerCase(),
          attributes,
          [activation(a, scaleA), activation(b, scaleB)],
          [activation(output, scale)],
        );
        const random = new Random(seed * 5 + k);
        const [x, y] = [int16s(random, a), int16s(random, b)];
        x.set([-32768, 32767, -32768]);
        y.set([-32768, 32767, 32767]);
        return caseOf(graph, x, y);
      }),
    );
    await expectEqualToReference(cases);
  });

  it('should compute LOGISTIC, TANH, RELU, RELU6, LEAKY_RELU of every int16 value, at scales of and off powers of two', async () => {
    const values = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
    const shape = [values.length];
    const kinds: readonly [OpAttributes, number][] = [
      [{ kind: 'LOGISTIC' }, 1 / 32768],
      [{ kind: 'TANH' }, 1 / 32768],
      [{ kind: 'RELU' }, 0.0007],
      [{ kind: 'RELU6' }, 0.0007],
      [{ kind: 'LEAKY_RELU', alpha: 0.31 }, 0.0007],
      [{ kind: 'LEAKY_RELU', alpha: -2.5 }, 0.0007],
    ];
    const cases = kinds.flatMap(([attributes, outputScale], index) =>
      [2 ** -12, 2 ** -11, 0.0005, 1.9].map((scale, s) =>
        caseOf(
          singleOp(`unary_${index}_${s}`, attributes, [activation(shape, scale)], [activation(shape, outputScale)]),
          values,
        ),
      ),
    );
    await expectEqualToReference(cases);
  });
});
