/**
 * Our int8 of the MLPerf Tiny models, read and run by TensorFlow Lite itself. Its XNNPACK rounds a sum once where TensorFlow Lite Micro, whose bits
 * ours are, rounds twice: that moves outputs a little, of the published int8 models as well, which is what ours are compared with.
 */
import { describe, expect, it } from 'vitest';
import { ENTRIES, OPTIONS, required, samplesOf } from '../../bench/quantize-accuracy.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { loadModel } from '../../harness/model.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { quantizeStatic } from '../../learn/quantize/static.ts';
import { hasSharedModels, sharedHint } from '../reference/shared-models.ts';
import { loadTensorflowLite, tensorflowLiteFolder } from './tensorflow-lite.ts';

const folder = tensorflowLiteFolder();
const hint = folder === null ? ' (skipped: TensorFlow Lite is not installed)' : sharedHint;
const CALIBRATION = 16;
const SAMPLES = 20;

/** Steps of the output between TensorFlow Lite and the reference, mean over all values. */
async function meanDifference(graph: Graph, samples: readonly Float32Array[]): Promise<number> {
  const { run, errors } = (await loadTensorflowLite(folder!)).read(writeTflite(graphToTflite(graph)));
  expect(errors).toBe('');
  const reference = createReference(graph);
  const differences = samples.flatMap((sample) => {
    const [input] = modelInputs(graph, sample);
    const own = new Int8Array(reference.runOutputs([input!])[0]!.slice().buffer);
    return run!(new Int8Array(input!.slice().buffer)).map((value, i) => Math.abs(value - own[i]!));
  });
  return differences.reduce((a, b) => a + b, 0) / differences.length;
}

describe.skipIf(folder === null || !hasSharedModels)(`our int8 of the MLPerf Tiny models${hint}`, () => {
  it.each(ENTRIES)(
    'should be accepted by TensorFlow Lite and run as closely as the published one: $name',
    async (entry) => {
      const float = loadModel(required('models', `${entry.float}.tflite`)).graph;
      const { calibration, set } = samplesOf(entry, float, SAMPLES);
      const { quantized } = quantizeStatic(float, calibration.slice(0, CALIBRATION), OPTIONS);
      const published = loadModel(required('models', `${entry.int8}.tflite`)).graph;
      expect(await meanDifference(quantized, set.inputs)).toBeLessThanOrEqual(
        await meanDifference(published, set.inputs),
      );
    },
    120_000,
  );
});
