/**
 * npm run bench -- mlperf --runner DIR: our firmware, or published images, driven by the official MLPerf Tiny runner. Performance: its
 * median throughput. Accuracy: its figures, and whether every single result is the reference kernels'.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { UserError } from '../../common/errors.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { compileModel } from '../../harness/compile.ts';
import { loadModel } from '../../harness/model.ts';
import { tensorValues } from '../../harness/tensor-values.ts';
import { runOfficialRunner, type RunnerMode } from './runner.ts';
import { MLPERF_TESTS, sharedPath, writeDataSet, type Sample, type TestId } from './tests.ts';

export interface MlperfRow {
  readonly test: TestId;
  readonly mode: RunnerMode;
  readonly firmware: string;
  readonly inputs: number;
  /** Inferences a second by the device's clock; null: none, or the runner says ERROR. */
  readonly medianThroughput: number | null;
  /** What the runner makes of the results; null in performance mode. */
  readonly top1Pct: number | null;
  /** Of the reference kernels on the same inputs; null in performance mode. */
  readonly referenceTop1Pct: number | null;
  /** Inputs whose every result is the reference's to the three decimals of the protocol; null in performance mode. */
  readonly sameAsReference: number | null;
  readonly errors: readonly string[];
  readonly seconds: number;
}

export interface MlperfOptions {
  readonly runner: string;
  readonly python: string;
  readonly mode: RunnerMode;
  readonly tests: readonly TestId[];
  readonly board: string;
  readonly timing?: 'exact' | 'flat';
  readonly realtime: boolean;
  /** First so many inputs in accuracy mode; null: all. */
  readonly samples: number | null;
  /** Firmware built elsewhere, by test; absent: ours. */
  readonly images: Partial<Readonly<Record<TestId, string>>>;
}

/** Half of the protocol's last decimal, and what a float loses beside it. */
const DECIMAL_TOLERANCE = 0.0005 + 1e-6;
/** Of the runner altogether; it has limits of its own for every line. */
const SECONDS_MAX = 4 * 3600;
const PERFORMANCE_INPUTS = 5;

export async function benchMlperf(dir: string, options: MlperfOptions): Promise<MlperfRow[]> {
  const rows: MlperfRow[] = [];
  for (const id of options.tests) rows.push(await runTest(join(dir, 'mlperf', `${id}-${options.mode}`), id, options));
  return rows;
}

async function runTest(dir: string, id: TestId, options: MlperfOptions): Promise<MlperfRow> {
  const { mode } = options;
  const test = MLPERF_TESTS[id];
  const samples = test.samples().slice(0, mode === 'p' ? PERFORMANCE_INPUTS : (options.samples ?? undefined));
  writeDataSet(join(dir, 'inputs'), id, samples);
  const image = options.images[id];
  if (image !== undefined && !existsSync(image)) throw new UserError(`${image}: no such file`);
  const { text, entries, seconds } = await runOfficialRunner({
    ...options,
    id,
    dir,
    firmware: image ?? (await buildFirmware(join(dir, 'firmware'), id, options.board)),
    dataSets: join(dir, 'inputs'),
    secondsMax: SECONDS_MAX,
  });
  const median = /Median throughput is\s+([\d.]+)/.exec(text)?.[1];
  const top1 = /Top 1% = ([\d.]+)/.exec(text)?.[1];
  return {
    test: id,
    mode,
    firmware: image ?? 'ours',
    inputs: entries.filter(({ infer }) => infer !== undefined).length,
    medianThroughput: median === undefined ? null : Number(median),
    top1Pct: top1 === undefined ? null : Number(top1),
    ...(mode === 'p'
      ? { referenceTop1Pct: null, sameAsReference: null }
      : againstReference(id, samples, new Map(entries.map(({ file, infer }) => [file ?? '', infer?.results ?? []])))),
    errors: text.split('\n').filter((line) => line.includes('ERROR')),
    seconds,
  };
}

async function buildFirmware(dir: string, id: TestId, boardName: string): Promise<string> {
  const { model: file, input } = MLPERF_TESTS[id];
  const model = loadModel(sharedPath('models', `${file}.tflite`));
  const harness = { protocol: 'mlperf', mlperfId: id, input } as const;
  const board = loadBoard(boardName);
  const { image } = await compileModel(model, dir, { board, bare: false, hooks: false, prune: true, harness });
  return image.elfPath;
}

function againstReference(
  id: TestId,
  samples: readonly Sample[],
  results: ReadonlyMap<string, readonly number[]>,
): Pick<MlperfRow, 'referenceTop1Pct' | 'sameAsReference'> {
  const { model: file, input } = MLPERF_TESTS[id];
  const { graph } = loadModel(sharedPath('models', `${file}.tflite`));
  const reference = createReference(graph);
  let right = 0;
  let same = 0;
  for (const { name, label, bytes } of samples) {
    const tensor = input === 'uint8' ? bytes.map((byte) => byte ^ 0x80) : bytes;
    const values = realOutputs(graph, reference.run([new Uint8Array(tensor)]).outputs[0]!);
    const said = results.get(name) ?? [];
    if (values.indexOf(Math.max(...values)) === label) right++;
    if (said.length === values.length && values.every((value, i) => Math.abs(value - said[i]!) <= DECIMAL_TOLERANCE))
      same++;
  }
  return { referenceTop1Pct: (100 * right) / samples.length, sameAsReference: same };
}

function realOutputs(graph: Graph, bytes: Uint8Array): number[] {
  const { dtype, quantization } = tensorOf(graph, graph.outputs[0]!);
  const [scale, zeroPoint] = [quantization?.scale[0] ?? 1, quantization?.zeroPoint[0] ?? 0];
  return tensorValues(bytes, dtype).map((value) => (value - zeroPoint) * scale);
}
