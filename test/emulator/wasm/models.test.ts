/** Third-party models give the same report on both engines: outputs, every op's CRC-32, cycles, instructions and memory. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { tensorOf } from '../../../firmware-gen/ir/graph.ts';
import { lcgInputs } from '../../../harness/lcg.ts';
import { loadModel } from '../../../harness/model.ts';
import { runModel } from '../../../harness/run-model.ts';
import { hasSharedModels, sharedHint, sharedPath } from '../../reference/shared-models.ts';

const models = hasSharedModels
  ? readdirSync(sharedPath('models')).filter((file) => file.endsWith('.tflite'))
  : ['none'];
const board = loadBoard('mps2-an386');
const dir = mkdtempSync(join(tmpdir(), 'thumbelina-engines-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(!hasSharedModels)(`models of ../shared/models on both engines${sharedHint}`, () => {
  it.each(models)('%s', async (file) => {
    const model = loadModel(sharedPath('models', file));
    const inputs = lcgInputs(
      model.graph.inputs.map((id) => tensorOf(model.graph, id)),
      3,
    );
    const options = { board, bare: true, perOp: true, prune: true, timingMode: 'exact', dir } as const;
    const ours = await runModel(model, inputs, { ...options, engine: 'wasm' });
    const theirs = await runModel(model, inputs, { ...options, engine: 'unicorn' });
    expect({ ...ours, engine: '' }).toEqual({ ...theirs, engine: '' });
  });
});
