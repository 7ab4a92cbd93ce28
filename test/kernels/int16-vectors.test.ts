/**
 * int16 and float kernels on this machine under sanitizers, pure C and emulated DSP, on the single-op models of test/vectors/tflm: int16
 * outputs equal what tflite-micro itself gave, float ones the TypeScript reference.
 */
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { loadVectors, vectorFiles, vectorGraph } from '../reference/vectors.ts';
import { expectSameOutputs, runOnHost } from './run-graph.ts';

const files = vectorFiles();
const int16Files = files.filter((file) => file.endsWith('_int16'));
const floatFiles = files.filter((file) => file.endsWith('_float32'));

function casesOf(file: string) {
  return loadVectors(file).flatMap((vector) => {
    const graph = { ...vectorGraph(vector), name: 'vector' };
    return vector.runs.map((run, index) => ({
      graph,
      inputs: [...run.inputs],
      run,
      label: `${file}: ${vector.name} run ${index}`,
    }));
  });
}

describe('kernels on tflite-micro vectors', () => {
  it('finds vectors of both types', () => {
    expect(int16Files.length).toBeGreaterThan(10);
    expect(floatFiles.length).toBeGreaterThan(10);
  });

  for (const dsp of ['off', 'emulated'] as const) {
    it.each(int16Files)(`%s equals tflite-micro, dsp ${dsp}`, async (file) => {
      const cases = casesOf(file);
      const results = await runOnHost(cases, { dsp, fuse: true });
      for (const [index, { graph, run, label }] of cases.entries()) {
        expectSameOutputs(graph, results[index]!, run.outputs, label);
      }
    });
  }

  it.each(floatFiles)('%s equals the reference', async (file) => {
    const cases = casesOf(file);
    const results = await runOnHost(cases, { dsp: 'off', fuse: true });
    for (const [index, { graph, inputs, label }] of cases.entries()) {
      expectSameOutputs(graph, results[index]!, createReference(graph).run(inputs).outputs, label);
    }
  });
});
