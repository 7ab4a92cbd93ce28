/**
 * int16 and float kernels on the single-op models of test/vectors/tflm: on this machine under sanitizers, pure C and emulated DSP, and on the
 * emulated core. int16 outputs equal what tflite-micro itself gave, float ones the TypeScript reference.
 */
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { loadVectors, vectorFiles, vectorGraph } from '../reference/vectors.ts';
import { expectSameOutputs, runOnHost, runOnTarget } from './run-graph.ts';

function casesOf(suffix: string) {
  const files = vectorFiles().filter((file) => file.endsWith(suffix));
  return files.flatMap((file) =>
    loadVectors(file).flatMap((vector) => {
      const graph = vectorGraph(vector);
      return vector.runs.map((run) => ({
        label: `${file} ${vector.name}`,
        graph,
        inputs: run.inputs,
        recorded: run.outputs,
      }));
    }),
  );
}

const int16Cases = casesOf('_int16');
const floatCases = casesOf('_float32').map(({ label, graph, inputs }) => ({
  label,
  graph,
  inputs,
  recorded: createReference(graph).run(inputs).outputs,
}));
const TIMEOUT = { timeout: 600_000 };

function expectRecorded(cases: ReturnType<typeof casesOf>, results: readonly (readonly Uint8Array[])[]): void {
  for (const [index, { graph, recorded, label }] of cases.entries()) {
    expectSameOutputs(graph, results[index] ?? [], recorded, label);
  }
}

describe('kernels on tflite-micro vectors', () => {
  it('finds vectors of both types', () => {
    expect(int16Cases.length).toBeGreaterThan(50);
    expect(floatCases.length).toBeGreaterThan(50);
  });

  it.each(['off', 'emulated'] as const)('int16 equals tflite-micro on the host, dsp %s', TIMEOUT, async (dsp) => {
    expectRecorded(int16Cases, await runOnHost(int16Cases, { dsp, fuse: true }));
  });

  it('float32 equals the reference on the host', TIMEOUT, async () => {
    expectRecorded(floatCases, await runOnHost(floatCases, { dsp: 'off', fuse: true }));
  });

  it.each([
    ['int16', int16Cases],
    ['float32', floatCases],
  ] as const)('%s gives the same on the emulated core', TIMEOUT, async (_, cases) => {
    const results = await runOnTarget(cases, { fuse: true });
    expectRecorded(
      cases,
      results.map((result) => result.outputs),
    );
  });
});
