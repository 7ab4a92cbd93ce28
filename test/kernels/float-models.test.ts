/** Whole float models on this machine under sanitizers: the generated C gives the reference's bits. Models with quantized ops are not float. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { hasSharedModels, lcgInputs, loadSharedModel, sharedHint, sharedPath } from '../reference/shared-models.ts';
import { expectSameOutputs, runOnHost } from './run-graph.ts';

const SEEDS = [1, 2];
const files = hasSharedModels ? readdirSync(sharedPath('models')).filter((file) => file.endsWith('.tflite')) : [];
const floatGraphs = files
  .map(loadSharedModel)
  .filter((graph) => graph.tensors.every((tensor) => tensor.data !== null || tensor.dtype === 'float32'));

describe.skipIf(!hasSharedModels)(`float models on the host${sharedHint}`, () => {
  it('finds float models', () => {
    expect(floatGraphs.length).toBeGreaterThanOrEqual(5);
  });

  it.each(floatGraphs.map((graph) => [graph.name, graph] as const))('%s equals the reference', async (_, graph) => {
    const cases = SEEDS.map((seed) => ({
      graph: { ...graph, name: `${graph.name}_${seed}` },
      inputs: lcgInputs(graph, seed),
    }));
    const results = await runOnHost(cases, { dsp: 'off', fuse: true });
    const reference = createReference(graph);
    for (const [index, { inputs }] of cases.entries()) {
      expectSameOutputs(graph, results[index]!, reference.run(inputs).outputs, `seed ${SEEDS[index]}`);
    }
  });
});
