/**
 * `npm run train:har [-- --data FOLDER] [--fold K]`: trains the built-in HAR model, quantizes it and writes it to models/ with its pipeline
 * and its figures. With --fold it trains on four fifths of the training subjects, reports on the rest and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError, assert } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { applyPipeline, standardise, type Pipeline } from '../pipeline.ts';
import { calibrate } from '../quantize/calibrate.ts';
import { quantizeGraph } from '../quantize/quantize-graph.ts';
import { createRandom, shuffle } from '../random.ts';
import { startTfjs } from '../tfjs/start.ts';
import { cutWindows, loadDataset, type LabelledWindow, type MotionDataset, type Recording } from './dataset.ts';
import { fit } from './fit.ts';
import { networkGraph } from './network-graph.ts';
import {
  CALIBRATION_WINDOWS,
  CHANNEL_SCALE,
  CLASSES,
  FIT,
  FOLDS,
  MODEL_NAME,
  NETWORK,
  WINDOW_FRAMES,
} from './recipe.ts';
import { accuracy, argmaxRows, confusionTable, evaluate, type Evaluation } from './report.ts';
import { predict, trainedWeights } from './tfjs-network.ts';

/** Folding and our float kernels change the order of float operations, nothing more. */
const FOLDING_TOLERANCE = 1e-3;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function parseOptions(): { data: string; fold: number | null } {
  const { values } = parseArgs({ options: { data: { type: 'string' }, fold: { type: 'string' } } });
  const fold = values.fold === undefined ? null : Number(values.fold);
  if (fold !== null && !(Number.isInteger(fold) && fold >= 0 && fold < FOLDS)) {
    throw new UserError(`--fold ${values.fold}: expected a number from 0 to ${FOLDS - 1}`);
  }
  return { data: values.data ?? join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch'), fold };
}

/** Input quantization is not known before calibration: the identity until then. */
function floatPipeline(data: MotionDataset): Pipeline {
  return {
    schemaVersion: 1,
    windowFrames: WINDOW_FRAMES,
    hopFrames: WINDOW_FRAMES / 2,
    sampleRateHz: data.sampleRateHz,
    channels: [...data.channels],
    units: [...data.units],
    rawScale: [...data.scale],
    mean: data.channels.map(() => 0),
    scale: [...CHANNEL_SCALE],
    layout: { order: 'NHWC', shape: [1, WINDOW_FRAMES, 1, data.channels.length] },
    quantization: { scale: 1, zeroPoint: 0 },
    classes: [...CLASSES],
  };
}

/** A data set without one of the classes, or with all subjects on one side, cannot be trained on. */
function requireClasses(recordings: readonly Recording[], purpose: string): void {
  const missing = CLASSES.filter(
    (label) => !recordings.some((one) => one.label === label && one.frames >= WINDOW_FRAMES),
  );
  if (missing.length === 0) return;
  throw new UserError(
    `the data set has no recordings of ${missing.join(', ')} for ${purpose}; use one that holds them`,
  );
}

function split(data: MotionDataset, fold: number | null): { train: Recording[]; test: Recording[] } {
  const known = data.recordings.filter((recording) => recording.split === 'train');
  if (fold === null) return { train: known, test: data.recordings.filter((recording) => recording.split === 'val') };
  const subjects = [...new Set(known.map((recording) => recording.subject))];
  const isLeftOut = (recording: Recording): boolean => subjects.indexOf(recording.subject) % FOLDS === fold;
  return { train: known.filter((recording) => !isLeftOut(recording)), test: known.filter(isLeftOut) };
}

/** Windows that do not overlap, of the recipe's classes. */
function windowsOf(data: MotionDataset, recordings: readonly Recording[]): LabelledWindow[] {
  return cutWindows(
    { channels: data.channels, recordings },
    { classes: CLASSES, windowFrames: WINDOW_FRAMES, hopFrames: WINDOW_FRAMES },
  );
}

function evaluateWith(windows: readonly LabelledWindow[], predicted: readonly number[]): Evaluation {
  return evaluate(
    windows.map(({ label }) => label),
    predicted,
    CLASSES.length,
  );
}

function quantizeTrained(float: Graph, data: MotionDataset, train: readonly Recording[], pipeline: Pipeline): Graph {
  const windows = windowsOf(data, train);
  shuffle(windows, createRandom(FIT.seed));
  const samples = windows.slice(0, CALIBRATION_WINDOWS).map(({ samples }) => [standardise(samples, pipeline)]);
  return quantizeGraph(float, calibrate(float, samples));
}

function writeModel(graph: Graph, pipeline: Pipeline, figures: unknown): void {
  const stem = join(packageRoot(), 'models', MODEL_NAME);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  writeFileSync(`${stem}.tflite`, writeTflite(graphToTflite(graph)));
  writeFileSync(`${stem}.pipeline.json`, json(pipeline));
  writeFileSync(`${stem}.figures.json`, json(figures));
  say(`wrote ${stem}.tflite, .pipeline.json, .figures.json`);
}

async function main(): Promise<void> {
  const { data: folder, fold } = parseOptions();
  await startTfjs();
  const data = loadDataset(folder);
  const pipeline = floatPipeline(data);
  const { train, test } = split(data, fold);
  requireClasses(train, 'training');
  requireClasses(test, 'evaluation');
  const network = await fit(train, NETWORK, pipeline, FIT, say);
  const windows = windowsOf(data, test);
  const standardised = windows.map(({ samples }) => standardise(samples, pipeline));
  const probabilities = predict(network, NETWORK, standardised);
  const float = evaluateWith(windows, argmaxRows(probabilities, CLASSES.length));
  say(`float: ${accuracy(float)}\n${confusionTable(float, CLASSES)}`);
  if (fold !== null) return;

  const graph = networkGraph(MODEL_NAME, NETWORK, trainedWeights(network));
  checkFolding(graph, standardised, probabilities);
  const quantized = quantizeTrained(graph, data, train, pipeline);
  const { scale, zeroPoint } = tensorOf(quantized, quantized.inputs[0]!).quantization!;
  const final: Pipeline = { ...pipeline, quantization: { scale: scale[0]!, zeroPoint: zeroPoint[0]! } };
  const reference = createReference(quantized);
  const predicted = windows.flatMap(({ samples }) => {
    const [output] = reference.runOutputs([new Uint8Array(applyPipeline(samples, final).buffer)]);
    return argmaxRows(new Int8Array(output!.buffer), CLASSES.length);
  });
  const int8 = evaluateWith(windows, predicted);
  say(`int8: ${accuracy(int8)}\n${confusionTable(int8, CLASSES)}`);
  const subjects = [...new Set(test.map(({ subject }) => subject))];
  writeModel(quantized, final, { classes: CLASSES, subjects, fit: FIT, network: NETWORK, float, int8 });
}

/** The exported float graph must compute what was trained. */
function checkFolding(graph: Graph, windows: readonly Float32Array[], probabilities: Float32Array): void {
  const reference = createReference(graph);
  const count = Math.min(windows.length, 64);
  for (let i = 0; i < count; i += 1) {
    const [output] = reference.runOutputs([new Uint8Array(windows[i]!.slice().buffer)]);
    for (const [c, value] of new Float32Array(output!.slice().buffer).entries()) {
      const expected = probabilities[i * CLASSES.length + c]!;
      assert(Math.abs(value - expected) < FOLDING_TOLERANCE, `folded network gives ${value}, tfjs ${expected}`);
    }
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(error.message);
  process.exitCode = error.exitCode;
}
