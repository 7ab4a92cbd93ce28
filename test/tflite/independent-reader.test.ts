/** What we write, read by TensorFlow Lite itself: its verifier accepts every file, its interpreter runs the static ones and gives what ours gives. */
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { tensorOf, type DType, type Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import {
  quantizeStatic,
  STATIC_DEFAULTS,
  type LayerOverrides,
  type StaticOptions,
} from '../../learn/quantize/static.ts';
import { floatNetwork, floatSamples } from '../learn/support/float-network.ts';
import { loadTensorflowLite, tensorflowLiteFolder } from './tensorflow-lite.ts';

const folder = tensorflowLiteFolder();
const graph = floatNetwork();
const calibration = floatSamples(20, 1);
const samples = floatSamples(20, 2);
const fileOf = (model: Graph): Uint8Array => writeTflite(graphToTflite(model));

/**
 * Mean difference of the outputs, in steps of int8. TensorFlow Lite's XNNPACK rounds a sum once where TensorFlow Lite Micro, whose bits ours are,
 * rounds twice; a step in the middle can become some in the softmax, but only at few values. Its int16 layers are not XNNPACK's: equal.
 */
const STEPS_MEAN_MAX = 0.25;

const integers = (bytes: Uint8Array, dtype: DType | undefined): number[] =>
  Array.from(dtype === 'int8' ? new Int8Array(bytes.slice().buffer) : new Int16Array(bytes.slice().buffer));

describe.skipIf(folder === null)(`TensorFlow Lite${folder === null ? ' (skipped: not installed)' : ''}`, async () => {
  const tensorflowLite = folder === null ? null : await loadTensorflowLite(folder);
  const read = (file: Uint8Array) => tensorflowLite!.read(file);

  const ops16 = (...list: number[]): LayerOverrides => new Map(list.map((i) => [i, { bits: 16 }]));
  const models: readonly (readonly [string, Partial<StaticOptions>, LayerOverrides])[] = [
    ['int8', {}, ops16()],
    ['int8, one scale per filter', { granularity: 'tensor' }, ops16()],
    ['int8, equalized', { biasCorrection: true, equalization: true, rounding: 'adaptive' }, ops16()],
    ['int8, sequential', { rounding: 'sequential' }, ops16()],
    ['int16x8', { activations: 16 }, ops16()],
    ['mixed, from int16 to int8', {}, ops16(0, 1)],
  ];
  it.each(models)('should run a static model as we do: %s', (_, option, layers) => {
    const { quantized } = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, ...option }, layers);
    const [from, to] = [...quantized.inputs, ...quantized.outputs].map((id) => tensorOf(quantized, id).dtype);
    const { run, inputType, errors } = read(fileOf(quantized));
    expect(errors).toBe('');
    expect(inputType).toBe(from);
    const reference = createReference(quantized);
    const differences = samples.flatMap((sample) => {
      const [input] = modelInputs(quantized, sample);
      const own = integers(reference.runOutputs([input!])[0]!, to);
      return run!(integers(input!, from)).map((value, i) => Math.abs(value - own[i]!));
    });
    const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
    expect(mean).toBeLessThanOrEqual(to === 'int16' ? 0 : STEPS_MEAN_MAX);
  });

  it('should accept a file that goes from int8 to int16, which only TensorFlow Lite Micro runs', () => {
    const { quantized } = quantizeStatic(graph, calibration, STATIC_DEFAULTS, ops16(2));
    const { run, errors } = read(fileOf(quantized));
    expect(run).toBeNull();
    expect(errors).toMatch(/Node number 2 \(QUANTIZE\) failed to prepare/);
  });

  it.each(['q', 'asym'] as const)(
    'should accept a dynamic-%s file, and refuse to run what it does not know',
    (scheme) => {
      for (const form of ['full', 'rows', 'predicted'] as const) {
        const dynamic = { scheme, form, granularity: 'channel', equalization: false } as const;
        const { run, errors } = read(fileOf(quantizeDynamic(graph, calibration, dynamic).quantized));
        expect(run).toBeNull();
        // Past the verifier: the first convolution misses its input's scale.
        expect(errors).toMatch(/input->quantization.type/);
        expect(errors).toMatch(/Node number 0 \(CONV_2D\) failed to prepare/);
      }
    },
  );

  it.each([8, 16] as const)(
    'should accept a dynamic file of 16-bit activations and %i-bit weights, and refuse to run it',
    (weights) => {
      const dynamic = { scheme: 'q', form: 'full', granularity: 'channel', equalization: false } as const;
      const { quantized } = quantizeDynamic(graph, calibration, { ...dynamic, weights, activations: 16 });
      const { run, errors } = read(fileOf(quantized));
      expect(run).toBeNull();
      expect(errors).toMatch(/input->quantization.type/);
      expect(errors).toMatch(/Node number 0 \(CONV_2D\) failed to prepare/);
    },
  );

  it('should not get as far with a damaged file', () => {
    const file = fileOf(quantizeStatic(graph, calibration, STATIC_DEFAULTS).quantized);
    const withoutRoot = file.slice();
    withoutRoot.fill(0xff, 0, 4);
    for (const damaged of [file.slice(0, file.length >> 1), withoutRoot]) {
      const { run, errors } = read(damaged);
      expect(run).toBeNull();
      expect(errors).not.toMatch(/failed to prepare/);
    }
  });
});
