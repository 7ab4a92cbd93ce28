/** The whole path on third-party models: the firmware on the emulated core gives the reference kernels' bits, and TFLite Micro's. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { crc32Hex } from '../../harness/crc32.ts';
import { lcgInputs } from '../../harness/lcg.ts';
import { loadModel } from '../../harness/model.ts';
import { runModel } from '../../harness/run-model.ts';
import { hasSharedModels, sharedHint, sharedPath } from '../reference/shared-models.ts';

const models = hasSharedModels
  ? readdirSync(sharedPath('models')).filter((file) => file.endsWith('.tflite'))
  : ['none'];
const board = loadBoard('mps2-an386');
const dir = mkdtempSync(join(tmpdir(), 'thumbelina-models-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(path: string, seed: number, perOp: boolean) {
  const model = loadModel(path);
  const inputs = lcgInputs(
    model.graph.inputs.map((id) => tensorOf(model.graph, id)),
    seed,
  );
  const options = { board, engine: 'unicorn', bare: true, perOp, prune: true, timingMode: 'exact', dir } as const;
  return runModel(model, inputs, options).then((report) => ({ model, inputs, report }));
}

describe.skipIf(!hasSharedModels)(`models of ../shared/models${sharedHint}`, () => {
  it.each(models)('should give the bits of the reference kernels: %s', async (file) => {
    const { model, inputs, report } = await run(sharedPath('models', file), 7, true);
    const reference = runReference(model.graph, inputs);
    expect(report.outputs.map((output) => output.crc32)).toEqual(reference.outputs.map((bytes) => crc32Hex(bytes)));
    expect(report.ops.map((op) => op.outputCrc32)).toEqual(reference.opOutputs.map((bytes) => crc32Hex(bytes)));
    const opCycles = report.ops.reduce((sum, op) => sum + (op.cycles ?? 0), 0);
    expect(opCycles).toBeLessThanOrEqual(report.cycles!);
    expect(opCycles).toBeGreaterThan(0.99 * report.cycles! - 200);
  });
});

interface Truth {
  readonly models: Record<
    string,
    { model_path: string; seeds: Record<string, { op_output_crc32: string[]; output: number[] }> }
  >;
}

describe.skipIf(!hasSharedModels)(`outputs of TFLite Micro in ../shared/truth${sharedHint}`, () => {
  const truth = hasSharedModels
    ? (JSON.parse(readFileSync(sharedPath('truth', 'tflm_lcg_seed1.json'), 'utf8')) as Truth)
    : { models: {} };
  it.each(Object.values(truth.models))(
    "should match every op's CRC-32: $model_path",
    async ({ model_path: path, seeds }) => {
      const { report } = await run(sharedPath('models', path.split('/').at(-1)!), 1, true);
      expect(report.ops.map((op) => op.outputCrc32)).toEqual(seeds['1']!.op_output_crc32);
      expect(report.output.values).toEqual(seeds['1']!.output);
    },
  );
});
