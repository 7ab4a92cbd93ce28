/** Cells of the two tables: computed once, kept under build/paper by a hash of everything that goes into them, so that a run can be resumed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import type { DynamicForm } from '../../firmware-gen/ir/dynamic.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { runModel } from '../../harness/run-model.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { compare, predict, type TestSet } from '../../learn/evaluate/evaluate.ts';
import { NO_SHIFT, parseShifts, type Shift } from '../../learn/evaluate/shifts.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { STATIC_DEFAULTS, quantizeStatic } from '../../learn/quantize/static.ts';
import { readJson, type Task } from './tasks.ts';

export const SCHEMES = ['static', 'dynamic-q', 'dynamic-asym'] as const;
export type Scheme = (typeof SCHEMES)[number];
export const SHIFTS: readonly Shift[] = [
  NO_SHIFT,
  ...parseShifts('gain:0.25,gain:0.5,gain:2,gain:4,gain:8,noise:10dB,bias:0.5'),
];
export const CALIBRATIONS = [16, 64, 256] as const;

export interface AccuracyCell {
  /** Percent; null where the float model is never right. */
  readonly relativeTop1: number | null;
  readonly floatTop1: number | null;
  readonly maeSoftmax: number | null;
  readonly maeNormalisedLogits: number | null;
  readonly samples: number;
}

export interface CostCell {
  readonly cycles: number;
  readonly coldCycles: number;
  readonly ramBytes: number;
  readonly flashBytes: number;
  readonly sameAsReference: boolean;
}

const hashes = new Map<string, string>();

/** Of everything under the folders: a change in code makes cells worthless that it computed. */
export function codeHash(folders: readonly string[]): string {
  const key = folders.join();
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const folder of folders) {
    const root = join(packageRoot(), folder);
    const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = entries
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /\.(js|c|h|json)$/.test(path));
    for (const path of paths.sort()) hash.update(path.slice(root.length)).update(readFileSync(path));
  }
  const digest = hash.digest('hex');
  hashes.set(key, digest);
  return digest;
}

const REFERENCE_CODE = [
  'dist/firmware-gen/ir',
  'dist/firmware-gen/reference',
  'dist/learn/evaluate',
  'dist/learn/data',
];
export const FIRMWARE_CODE = ['dist/firmware-gen', 'dist/emulator', 'dist/harness', 'kernels', 'boards'];

async function cached<T>(
  dir: string,
  code: readonly string[],
  parts: readonly (string | Uint8Array)[],
  make: () => Promise<T> | T,
): Promise<T> {
  const hash = createHash('sha256');
  for (const part of [codeHash(code), ...parts]) hash.update(part).update('\0');
  const path = join(dir, 'cells', `${hash.digest('hex').slice(0, 24)}.json`);
  if (existsSync(path)) return readJson(path) as T;
  const value = await make();
  mkdirSync(join(dir, 'cells'), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
  return value;
}

const quantizedGraphs = new Map<string, Graph>();

/** Quantized once per process, whatever the number of cells. */
function quantizeFor(task: Task, scheme: Scheme, calibration: number, form: DynamicForm = 'full'): Graph {
  const key = [task.name, scheme, calibration, form].join();
  const known = quantizedGraphs.get(key) ?? quantizeNew(task, scheme, calibration, form);
  quantizedGraphs.set(key, known);
  return known;
}

function quantizeNew(task: Task, scheme: Scheme, calibration: number, form: DynamicForm): Graph {
  const samples = task.calibration.slice(0, calibration);
  if (scheme === 'static') return quantizeStatic(task.float, samples, STATIC_DEFAULTS).quantized;
  const short = scheme === 'dynamic-q' ? 'q' : 'asym';
  const options = { scheme: short, form, granularity: 'channel', equalization: false } as const;
  return quantizeDynamic(task.float, samples, options).quantized;
}

const fileOf = (graph: Graph): Uint8Array => writeTflite(graphToTflite(graph));
const inputsOf = (inputs: readonly Float32Array[]): Uint8Array[] =>
  inputs.map((values) => new Uint8Array(values.slice().buffer));

export class Cells {
  private readonly dir: string;
  /** Predictions of the float model, by task and shift: every cell of a row needs them. */
  private readonly floatRuns = new Map<string, ReturnType<typeof predict>>();

  constructor(dir: string) {
    this.dir = dir;
  }

  async accuracy(task: Task, scheme: Scheme, calibration: number, shift: Shift): Promise<AccuracyCell> {
    const quantized = quantizeFor(task, scheme, calibration);
    const inputs = task.test.inputs.map((values, i) => shift.apply(values, i));
    const labels = JSON.stringify(task.test.labels);
    const parts = ['accuracy', fileOf(task.float), fileOf(quantized), labels, ...inputsOf(inputs)];
    return cached(this.dir, REFERENCE_CODE, parts, () => {
      const set: TestSet = { ...task.test, inputs };
      const float = this.floatRun(task, shift, inputs);
      const figures = compare(predict(quantized, inputs), float, set);
      const right = float.outputs.filter((row, i) => indexOfMax(row) === set.labels[i]).length;
      return {
        relativeTop1: figures.relativeTop1,
        floatTop1: (100 * right) / inputs.length,
        maeSoftmax: figures.maeSoftmax,
        maeNormalisedLogits: figures.maeNormalisedLogits,
        samples: inputs.length,
      };
    });
  }

  private floatRun(task: Task, shift: Shift, inputs: readonly Float32Array[]): ReturnType<typeof predict> {
    const key = `${task.name} ${shift.name}`;
    const known = this.floatRuns.get(key) ?? predict(task.float, inputs);
    this.floatRuns.set(key, known);
    return known;
  }

  /** On the emulated Cortex-M4, second inference on one test sample, --bare image. */
  async cost(task: Task, scheme: Scheme, form: DynamicForm): Promise<CostCell> {
    const quantized = quantizeFor(task, scheme, CALIBRATIONS[1], form);
    const sample = task.test.inputs[0]!;
    const parts = ['cost', fileOf(quantized), new Uint8Array(sample.slice().buffer)];
    return cached(this.dir, FIRMWARE_CODE, parts, async () => {
      const name = `${task.name}_${scheme}_${form}`.replaceAll('-', '_');
      const graph = { ...quantized, name };
      const inputs = modelInputs(graph, sample);
      const report = await runModel({ name, path: name, sha256: '0'.repeat(64), graph }, inputs, {
        board: loadBoard('mps2-an386'),
        engine: 'wasm',
        timingMode: 'exact',
        bare: true,
        perOp: false,
        prune: true,
        dir: join(this.dir, name),
      });
      const expected = [...expectedOutput(graph, inputs)].slice(0, report.output.values.length);
      return {
        cycles: report.cycles!,
        coldCycles: report.coldCycles!,
        ramBytes: report.memory.ramBytes,
        flashBytes: report.memory.flashBytes,
        sameAsReference: expected.every((value, i) => value === report.output.values[i]),
      };
    });
  }
}

/** What the reference gives for an image's second inference: predicted ranges remember the one that it made of zeros when it booted. */
function expectedOutput(graph: Graph, inputs: readonly Uint8Array[]): Int8Array {
  const reference = createReference(graph);
  const { dynamics } = graph;
  if (dynamics) {
    const { multiplier, shift, zeroPoint } = dynamics.defaultInput;
    const scale = new Uint8Array(Int32Array.of(multiplier, shift, zeroPoint).buffer);
    reference.runOutputs([new Uint8Array(inputs[0]!.length), scale]);
    reference.runOutputs(inputs);
  }
  return new Int8Array(reference.runOutputs(inputs)[0]!);
}

function indexOfMax(row: Float32Array): number {
  return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
}
