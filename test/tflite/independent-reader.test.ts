/** What we write, read by TensorFlow Lite itself: its verifier accepts every file, its interpreter runs the static ones and gives what ours gives. */
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { quantizeStatic, STATIC_DEFAULTS, type StaticOptions } from '../../learn/quantize/static.ts';
import { floatNetwork, floatSamples } from '../learn/support/float-network.ts';
import { loadTensorflowLite, tensorflowLiteFolder } from './tensorflow-lite.ts';

const folder = tensorflowLiteFolder();
const graph = floatNetwork();
const calibration = floatSamples(20, 1);
const samples = floatSamples(20, 2);
const fileOf = (model: Graph): Uint8Array => writeTflite(graphToTflite(model));

/**
 * Mean difference of the outputs, in steps. TensorFlow Lite's XNNPACK rounds a sum once where TensorFlow Lite Micro, whose bits ours are, rounds
 * twice; a step in the middle can become some in the softmax, but only at few values. Its int16 layers are not XNNPACK's: equal.
 */
const DIFFERENCE_MEAN_MAX = { 8: 0.25, 16: 0 } as const;

describe.skipIf(folder === null)(`TensorFlow Lite${folder === null ? ' (skipped: not installed)' : ''}`, async () => {
  const tensorflowLite = folder === null ? null : await loadTensorflowLite(folder);
  const read = (file: Uint8Array) => tensorflowLite!.read(file);

  const options: readonly Partial<StaticOptions>[] = [
    {},
    { granularity: 'tensor' },
    { biasCorrection: true, equalization: true, rounding: 'adaptive' },
    { activations: 16 },
  ];
  it.each(options)('should run a static model %o as we do', (option) => {
    const { quantized } = quantizeStatic(graph, calibration, { ...STATIC_DEFAULTS, ...option });
    const bits = option.activations ?? 8;
    const { run, inputType, errors } = read(fileOf(quantized));
    expect(errors).toBe('');
    expect(inputType).toBe(`int${bits}`);
    const reference = createReference(quantized);
    const integers = (bytes: Uint8Array): number[] =>
      Array.from(bits === 8 ? new Int8Array(bytes.slice().buffer) : new Int16Array(bytes.slice().buffer));
    const differences = samples.flatMap((sample) => {
      const [input] = modelInputs(quantized, sample);
      const own = integers(reference.runOutputs([input!])[0]!);
      return run!(integers(input!)).map((value, i) => Math.abs(value - own[i]!));
    });
    expect(differences.reduce((a, b) => a + b, 0) / differences.length).toBeLessThanOrEqual(DIFFERENCE_MEAN_MAX[bits]);
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
