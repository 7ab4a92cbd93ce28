/**
 * The generated C against tflite-micro's own outputs, for every vector of 8-bit ops: the kernels are compared with the original, not only
 * with our reading of it.
 */
import { describe, it } from 'vitest';
import { loadVectors, vectorFiles, vectorGraph } from '../reference/vectors.ts';
import { expectSameOutputs, runOnHost } from './run-graph.ts';

const FILES = vectorFiles().filter((file) => /_u?int8$/.test(file));

describe.each(['off', 'emulated'] as const)('C against tflite-micro, dsp %s', (dsp) => {
  it('should give the same bytes for every 8-bit vector', { timeout: 600_000 }, async () => {
    const cases = FILES.flatMap((file) =>
      loadVectors(file).flatMap((vector) =>
        vector.runs.map((run) => ({ label: `${file} ${vector.name}`, graph: vectorGraph(vector), ...run })),
      ),
    );
    const results = await runOnHost(cases, { dsp, fuse: true });
    for (const [index, { graph, outputs, label }] of cases.entries()) {
      expectSameOutputs(graph, results[index] ?? [], outputs, label);
    }
  });
});
