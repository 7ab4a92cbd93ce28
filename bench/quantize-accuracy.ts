/**
 * Our static int8 of the MLPerf Tiny float models against the published int8 ones, on the same data: npm run bench -- quantize. Calibration
 * samples are never test samples. Classifiers: paired difference of accuracy with its 95 % interval; the autoencoder: mean absolute
 * difference to the float model's output.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../boards/load.ts';
import { UserError, defined } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../firmware-gen/passes/export.ts';
import { importGraph } from '../firmware-gen/passes/import.ts';
import { parseTflite } from '../firmware-gen/tflite/reader.ts';
import { writeTflite } from '../firmware-gen/tflite/writer.ts';
import { firmwareOutputs } from '../harness/firmware-outputs.ts';
import { loadModel } from '../harness/model.ts';
import { loadSamples } from '../learn/data/load.ts';
import { modelInputs, realInput, sampleForm } from '../learn/data/model-input.ts';
import { classOf, drawSamples, type Sample } from '../learn/data/sample-set.ts';
import { compare, predict, type Comparison, type Predictions, type TestSet } from '../learn/evaluate/evaluate.ts';
import { loadPipeline } from '../learn/pipeline.ts';
import { STATIC_DEFAULTS, quantizeStatic, type StaticOptions } from '../learn/quantize/static.ts';

export interface Entry {
  readonly name: string;
  readonly float: string;
  readonly int8: string;
  readonly pipeline: string;
  readonly data: string;
  readonly calibration: number;
  /** Which side of the data a sample is on. */
  readonly isForCalibration: (sample: Sample, index: number) => boolean;
}

export const ENTRIES: readonly Entry[] = [
  {
    ...{ name: 'kws', float: 'kws_ref_model_float32', int8: 'kws_ref_model', pipeline: 'kws' },
    ...{ data: 'mlperf-tiny-kws01', calibration: 100, isForCalibration: (_: Sample, i: number) => i % 10 === 0 },
  },
  {
    ...{ name: 'ad', float: 'ad01_fp32', int8: 'ad01_int8', pipeline: 'ad01', data: 'mlperf-tiny-ad01-sample' },
    ...{ calibration: 98, isForCalibration: (_: Sample, i: number) => i % 2 === 0 },
  },
  {
    ...{ name: 'ic', float: 'pretrainedResnet', int8: 'pretrainedResnet_quant', pipeline: 'cifar10' },
    ...{ data: 'img-cifar10', calibration: 100, isForCalibration: ({ split }: Sample) => split === 'train' },
  },
  {
    ...{ name: 'vww', float: 'vww_96_float', int8: 'vww_96_int8', pipeline: 'vww', data: 'img-vww' },
    ...{ calibration: 100, isForCalibration: (_: Sample, i: number) => i % 5 === 0 },
  },
];

/** One choice for all four, not tuned per model. */
export const OPTIONS: StaticOptions = { ...STATIC_DEFAULTS, biasCorrection: true };

export interface QuantizeRow {
  readonly model: string;
  readonly samples: number;
  /** Points of top-1, ours minus published, on the same samples, and the 95 % interval; null for the autoencoder. */
  readonly difference: Comparison['top1Difference'];
  readonly ours: Comparison;
  readonly published: Comparison;
  /** Emulated outputs that equal the reference's, of firmwareSamples. */
  readonly firmwareEqual: number;
  readonly firmwareSamples: number;
  readonly holds: boolean;
}

export interface QuantizeBenchOptions {
  /** Test samples per model; null: all. */
  readonly samples: number | null;
  readonly firmwareSamples: number;
  readonly models: readonly string[] | null;
}

/** @param dir where firmware is built and <model>_ours.tflite are written. @throws UserError (3) when ../shared lacks something */
export async function benchQuantize(dir: string, options: QuantizeBenchOptions): Promise<QuantizeRow[]> {
  const rows: QuantizeRow[] = [];
  for (const entry of ENTRIES) {
    if (options.models !== null && !options.models.includes(entry.name)) continue;
    rows.push(await benchOne(entry, dir, options));
  }
  return rows;
}

export function required(...parts: readonly string[]): string {
  const path = join(packageRoot(), '..', 'shared', ...parts);
  if (existsSync(path)) return path;
  throw new UserError(`${path} is absent; third-party data and models are not part of this repository`, 3);
}

async function benchOne(entry: Entry, dir: string, options: QuantizeBenchOptions): Promise<QuantizeRow> {
  const float = loadModel(required('models', `${entry.float}.tflite`)).graph;
  const published = loadModel(required('models', `${entry.int8}.tflite`)).graph;
  const { calibration, set } = samplesOf(entry, float, options.samples);
  const { quantized } = quantizeStatic(float, calibration, OPTIONS);
  // Through a file, as others would read it; it stays there for them.
  const bytes = writeTflite(graphToTflite(quantized));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `${entry.name}_ours.tflite`), bytes);
  const ours = importGraph(parseTflite(bytes), `${entry.name}_ours`);
  const [floatRun, ourRun, publishedRun] = [float, ours, published].map((graph) => predict(graph, set.inputs)) as [
    Predictions,
    Predictions,
    Predictions,
  ];
  const firmware = await equalOnFirmware(ours, ourRun, set, dir, options.firmwareSamples);
  const [own, other] = [compare(ourRun, floatRun, set), compare(publishedRun, floatRun, set)];
  const difference = set.classes.length === 0 ? null : compare(ourRun, publishedRun, set).top1Difference;
  const isAsGood = difference === null ? own.maeOutput <= other.maeOutput : difference.interval.low > -1;
  return {
    model: entry.name,
    samples: set.inputs.length,
    difference,
    ours: own,
    published: other,
    ...firmware,
    holds: isAsGood && firmware.firmwareEqual === firmware.firmwareSamples,
  };
}

export function samplesOf(
  entry: Entry,
  float: Graph,
  count: number | null,
): { readonly calibration: readonly Float32Array[]; readonly set: TestSet } {
  const pipeline = loadPipeline(join(packageRoot(), 'bench', 'pipelines', `${entry.pipeline}.pipeline.json`));
  const { classes } = pipeline;
  const all = loadSamples(required('data', entry.data), sampleForm(float, pipeline));
  const real = (sample: Sample): Float32Array => realInput(sample.values, pipeline, all);
  const known = all.samples.filter((sample) => classes.length === 0 || classOf(sample, classes, all.source) !== null);
  const test = known.filter((sample, i) => !entry.isForCalibration(sample, i));
  const chosen = count === null ? test : drawSamples(test, count, 1);
  return {
    calibration: drawSamples(known.filter(entry.isForCalibration), entry.calibration, 1).map(real),
    set: {
      inputs: chosen.map(real),
      labels: chosen.map((sample) => (classes.length === 0 ? null : classOf(sample, classes, all.source))),
      subjects: chosen.map(({ subject }) => subject),
      classes,
    },
  };
}

async function equalOnFirmware(
  graph: Graph,
  run: Predictions,
  set: TestSet,
  dir: string,
  count: number,
): Promise<Pick<QuantizeRow, 'firmwareEqual' | 'firmwareSamples'>> {
  const inputs = set.inputs.slice(0, count).map((values) => modelInputs(graph, values));
  const { name } = graph;
  const model = { name, path: name, sha256: '0'.repeat(64), graph };
  const outputs = await firmwareOutputs(model, inputs, { board: loadBoard('mps2-an386'), engine: 'wasm', dir });
  const same = outputs.filter((own, i) => Buffer.compare(own, defined(run.outputBytes[i], 'output')) === 0);
  return { firmwareEqual: same.length, firmwareSamples: inputs.length };
}
