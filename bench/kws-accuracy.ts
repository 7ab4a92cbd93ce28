/**
 * Keyword spotting on real inputs, on the emulated firmware: accuracy, agreement with the reference kernels, inputs per second.
 * npm run bench -- kws
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { tensorOf } from '../firmware-gen/ir/graph.ts';
import { createReference } from '../firmware-gen/reference/index.ts';
import { compileModel } from '../harness/compile.ts';
import { EmulatedTarget } from '../harness/emulated-target.ts';
import { loadModel } from '../harness/model.ts';
import { tensorValues } from '../harness/tensor-values.ts';

interface Manifest {
  readonly labelIndex?: readonly number[];
}

export interface KwsResult {
  readonly inputs: number;
  readonly top1Pct: number;
  readonly sameAsReference: number;
  readonly inputsPerSecond: number;
  readonly cyclesMin: number;
  readonly cyclesMax: number;
}

const INPUT_BYTES = 490;

export async function benchKws(dir: string): Promise<KwsResult> {
  const shared = join(packageRoot(), '..', 'shared');
  const folder = join(shared, 'data', 'mlperf-tiny-kws01');
  if (!existsSync(folder))
    throw new UserError(`${folder} is absent; the recordings are not part of this repository`, 3);
  const features = readFileSync(join(folder, 'features.i8'));
  const labels = readLabels(join(folder, 'manifest.json'));
  const model = loadModel(join(shared, 'models', 'kws_ref_model.tflite'));
  const board = loadBoard('mps2-an386');
  const { image, identifier, plan } = await compileModel(model, dir, { board, bare: true, hooks: false, prune: true });
  const target = new EmulatedTarget(image.elf, board, { identifier, plan, graph: model.graph }, 'unicorn');
  const reference = createReference(model.graph);
  const inputs = labels.map(
    (_, index) => new Uint8Array(features.subarray(index * INPUT_BYTES, (index + 1) * INPUT_BYTES)),
  );
  const started = performance.now();
  const results = inputs.map((input) => target.infer([input]));
  const seconds = (performance.now() - started) / 1e3;
  target.close();
  const dtype = tensorOf(model.graph, model.graph.outputs[0]!).dtype;
  const classOf = (bytes: Uint8Array): number => {
    const values = tensorValues(bytes, dtype);
    return values.indexOf(Math.max(...values));
  };
  const correct = results.filter((result, index) => classOf(result.outputs[0]!) === labels[index]).length;
  const same = results.filter((result, index) => {
    const expected = reference.run([inputs[index]!]).outputs[0]!;
    return Buffer.compare(Buffer.from(expected), Buffer.from(result.outputs[0]!)) === 0;
  }).length;
  const cycles = results.map((result) => result.cycles);
  return {
    inputs: inputs.length,
    top1Pct: (100 * correct) / inputs.length,
    sameAsReference: same,
    inputsPerSecond: inputs.length / seconds,
    cyclesMin: Math.min(...cycles),
    cyclesMax: Math.max(...cycles),
  };
}

function readLabels(path: string): number[] {
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  if (!manifest.labelIndex) throw new UserError(`${path}: no "labelIndex"; take the folder as ../shared has it`);
  return [...manifest.labelIndex];
}
