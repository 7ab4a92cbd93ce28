/** Dynamic fixed point with int16 activations: 0 LSB against the reference in both schemes and both widths of weights; closeness to float. */
import { describe, expect, it } from 'vitest';
import type { TensorId } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { importGraph } from '../../firmware-gen/passes/import.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { modelInputs, quantizedTensor, realValues } from '../../learn/data/model-input.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { dynamicCase, FloatBuilder, type DynamicChoice } from './dynamic-cases.ts';
import { FORMS, expectReferenceBytes } from './op-cases.ts';
import type { GraphCase } from './run-graph.ts';

const CHOICES: readonly DynamicChoice[] = (['q', 'asym'] as const).flatMap((scheme) =>
  ([8, 16] as const).map((weights) => ({ scheme, form: 'full' as const, weights, activations: 16 as const })),
);

function network(b: FloatBuilder, input: TensorId): TensorId {
  const first = b.conv(input, b.between(3, 9), b.between(1, 4), b.between(1, 3));
  const thin = b.depthwise(first, b.between(1, 2), b.between(1, 4), b.between(1, 3));
  const [left, right] = [b.conv(thin, 5, 1, 1, true), b.conv(thin, 5, 2, 2, true)];
  const sum = b.add2(left, right);
  const shape = b.shapeOf(sum).map((extent, i) => (i === 3 ? 3 * extent : extent));
  const both = b.push({ kind: 'CONCATENATION', inputs: [sum, right, left], axis: 3, activation: 'NONE' }, shape);
  const window = { filterH: 2, filterW: 2, strideH: 2, strideW: 2, padding: 'SAME', activation: 'NONE' } as const;
  const pooled = shape.map((extent, i) => (i === 1 || i === 2 ? Math.ceil(extent / 2) : extent));
  const pool = b.push({ kind: b.pick(['AVERAGE_POOL_2D', 'MAX_POOL_2D']), inputs: [both], ...window }, pooled);
  const mean = b.push({ kind: 'MEAN', inputs: [pool], axes: [1, 2], keepDims: false }, [pooled[0]!, pooled[3]!]);
  const dense = b.dense(mean, b.between(2, 9));
  return b.pick([true, false]) ? dense : b.push({ kind: 'SOFTMAX', inputs: [dense], beta: 1 }, b.shapeOf(dense));
}

const cases: readonly GraphCase[] = CHOICES.flatMap((choice, c) =>
  [0, 1, 2, 3].map((seed) =>
    dynamicCase(
      100 * c + seed,
      choice,
      (b) => [b.between(1, 2), b.between(4, 9), b.between(4, 9), b.between(1, 4)],
      network,
    ),
  ),
);

describe('dynamic fixed point of 16 bits', () => {
  it('should reach every kernel', () => {
    const calls = cases.flatMap(({ graph }) => lower(graph, { fuse: true, dsp: true }).calls);
    expect(new Set(calls.map((call) => call.function))).toEqual(
      new Set([
        ...['tl_convolve_dynamic_s16', 'tl_convolve_dynamic_w16_s16'],
        ...['tl_depthwise_conv_dynamic_s16', 'tl_depthwise_conv_dynamic_w16_s16'],
        ...['tl_elementwise_add_dynamic_s16', 'tl_concatenation_dynamic_s16', 'tl_softmax_dynamic_s16'],
        ...['tl_avgpool_s16', 'tl_max_pool_s16', 'tl_mean_s16'],
      ]),
    );
  });

  it.each(FORMS)('should equal the reference in both schemes, %s', async (form) => {
    await expectReferenceBytes(cases, form);
  });

  it('should come back from a file as it was', () => {
    for (const { graph, inputs } of cases) {
      const again = importGraph(parseTflite(writeTflite(graphToTflite(graph))), graph.name);
      expect(runReference(again, inputs).outputs).toEqual(runReference(graph, inputs).outputs);
    }
  });

  it.each(CHOICES)('should stay close to float at any loudness, %o', (choice) => {
    const builder = new FloatBuilder(3);
    const input = builder.activation([1, 8, 8, 4]);
    const float = builder.graph(input, builder.conv(builder.conv(input, 8, 3, 3, true), 8, 1, 1, true));
    const sample = Float32Array.from({ length: 256 }, () => builder.random.normal());
    const options = { granularity: 'channel', equalization: false, ...choice } as const;
    const { float: folded, quantized } = quantizeDynamic(float, [sample], options);
    for (const gain of [0.25, 1, 16]) {
      const values = sample.map((value) => gain * value);
      const expected = new Float32Array(
        runReference(folded, [new Uint8Array(values.slice().buffer)]).outputs[0]!.slice().buffer,
      );
      const inputs = modelInputs(quantized, values);
      const run = runReference(quantized, inputs);
      const actual = realValues(quantizedTensor(quantized, quantized.outputs[0]!, run, inputs), run.outputs[0]!);
      const noise = expected.reduce((sum, value, i) => sum + (value - actual[i]!) ** 2, 0);
      const signal = expected.reduce((sum, value) => sum + value ** 2, 0);
      expect(10 * Math.log10(signal / noise)).toBeGreaterThan(choice.weights === 16 ? 70 : 35);
    }
  });
});
