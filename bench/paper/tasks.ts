/**
 * The four tasks of the published comparison, on public data: a float network each, samples to calibrate with and samples to test on, as the
 * network takes them. Data and models are ../shared's; nothing of them is in this repository.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, defined } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { tensorOf, type Graph, type Tensor } from '../../firmware-gen/ir/graph.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { loadModel } from '../../harness/model.ts';
import { loadSamples } from '../../learn/data/load.ts';
import { realInput, sampleForm } from '../../learn/data/model-input.ts';
import { classOf, drawSamples, type Sample } from '../../learn/data/sample-set.ts';
import type { TestSet } from '../../learn/evaluate/evaluate.ts';
import { loadPipeline, parsePipeline, type Pipeline } from '../../learn/pipeline.ts';
import { dequantizedFilter } from '../../learn/quantize/quantize-graph.ts';
import { isWeighted } from '../../learn/quantize/weights.ts';
import { FACE_RECIPE, trainFaces } from './faces.ts';

export type TaskName = 'har' | 'kws' | 'vww' | 'faces';
export const TASKS: readonly TaskName[] = ['har', 'kws', 'vww', 'faces'];

export interface Task {
  readonly name: TaskName;
  readonly float: Graph;
  /** In the order in which calibration takes them. */
  readonly calibration: readonly Float32Array[];
  readonly test: TestSet;
  /** What a reader must know about this row. */
  readonly note: string;
}

const CALIBRATION_MAX = 256;
const shared = join(packageRoot(), '..', 'shared');

interface Source {
  readonly float: Graph;
  readonly pipeline: Pipeline;
  readonly folder: string;
  /** Whether a sample, by its place in the set, may be calibrated with; all others are tested on. */
  readonly isForCalibration: (sample: Sample, index: number) => boolean;
  readonly note: string;
}

/** @param testCount samples drawn from the test side @throws UserError (3) when ../shared lacks what is needed */
export async function loadTask(
  name: TaskName,
  testCount: number,
  dir: string,
  say: (line: string) => void,
): Promise<Task> {
  const { float, pipeline, folder, isForCalibration, note } = await sourceOf(name, dir, say);
  const set = loadSamples(folder, sampleForm(float, pipeline));
  const known = set.samples.filter((sample) => classOf(sample, pipeline.classes, set.source) !== null);
  const [first, second] = [known.filter(isForCalibration), known.filter((sample, i) => !isForCalibration(sample, i))];
  const real = (sample: Sample): Float32Array => realInput(sample.values, pipeline, set);
  const test = drawSamples(second, testCount, 1);
  return {
    name,
    float,
    note,
    calibration: drawSamples(first, CALIBRATION_MAX, 1).map(real),
    test: {
      inputs: test.map(real),
      labels: test.map((sample) => classOf(sample, pipeline.classes, set.source)),
      subjects: test.map(({ subject }) => subject),
      classes: pipeline.classes,
    },
  };
}

function required(path: string): string {
  if (existsSync(path)) return path;
  throw new UserError(`${path} is absent; third-party data and models are not part of this repository`, 3);
}

const pipelineOf = (stem: string): Pipeline =>
  loadPipeline(join(packageRoot(), 'bench', 'pipelines', `${stem}.pipeline.json`));
const data = (name: string): string => required(join(shared, 'data', name));
const published = (name: string): Graph => loadModel(required(join(shared, 'models', `${name}.tflite`))).graph;

async function sourceOf(name: TaskName, dir: string, say: (line: string) => void): Promise<Source> {
  switch (name) {
    case 'har': {
      const stem = join(packageRoot(), 'models', 'har_wisdm_watch');
      return {
        float: dequantizedGraph(loadModel(`${stem}.tflite`).graph),
        pipeline: loadPipeline(`${stem}.pipeline.json`),
        folder: data('har-wisdm-watch'),
        isForCalibration: ({ split }) => split === 'train',
        note: 'built-in model, int8 weights taken as real numbers; subjects of the test side are unseen',
      };
    }
    case 'kws':
      return {
        float: published('kws_ref_model_float32'),
        pipeline: pipelineOf('kws'),
        folder: data('mlperf-tiny-kws01'),
        isForCalibration: (_, i) => i % 3 === 0,
        note: 'kws_ref_model_float32',
      };
    case 'vww':
      return {
        float: published('vww_96_float'),
        pipeline: pipelineOf('vww'),
        folder: data('img-vww'),
        isForCalibration: (_, i) => i % 2 === 0,
        note: 'vww_96_float (the talk: a MobileNetV2)',
      };
    case 'faces': {
      const pipeline = parsePipeline(FACE_PIPELINE, 'faces');
      return {
        float: await faceNetwork(pipeline, dir, say),
        pipeline,
        folder: data('img-faces24'),
        isForCalibration: isFaceTraining,
        note: 'trained here, calibrated on training pictures; the same people can be on both sides',
      };
    }
  }
}

const FACE_PIPELINE = {
  schemaVersion: 1,
  windowFrames: 576,
  hopFrames: 576,
  channels: ['grey'],
  units: ['1'],
  rawScale: [1],
  mean: [128],
  scale: [64],
  layout: { order: 'NHWC', shape: [1, 24, 24, 1] },
  classes: ['nonface', 'face'],
};
/** Neighbouring pictures can be variants of one: blocks of them go to one side, one in four to the test. */
const FACE_BLOCK = 30;
const isFaceTraining = (_: Sample, index: number): boolean => Math.floor(index / FACE_BLOCK) % 4 !== 3;

/** Trained once; the file's name has the recipe in it. */
async function faceNetwork(pipeline: Pipeline, dir: string, say: (line: string) => void): Promise<Graph> {
  const { seed, steps, channels, dense } = FACE_RECIPE;
  const path = join(dir, `faces-${seed}-${steps}-${channels.join('-')}-${dense}.tflite`);
  if (existsSync(path)) return loadModel(path).graph;
  const set = loadSamples(data('img-faces24'), { elements: 576, hop: 576, frame: null });
  const samples = set.samples.filter(isFaceTraining).map((sample) => ({
    values: realInput(sample.values, pipeline, set),
    label: defined(classOf(sample, pipeline.classes, set.source), 'class'),
  }));
  const graph = await trainFaces(samples, say);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, writeTflite(graphToTflite(graph)));
  return graph;
}

/** An int8 graph as the float graph that its weights stand for. */
export function dequantizedGraph(graph: Graph): Graph {
  const weights = new Map<number, Tensor>();
  for (const op of graph.ops) {
    if (!isWeighted(op)) continue;
    const [, filterId, biasId] = op.inputs;
    const filter = tensorOf(graph, defined(filterId, 'filter'));
    weights.set(filter.id, float(filter, dequantizedFilter(filter)));
    if (biasId === null || biasId === undefined) continue;
    const bias = tensorOf(graph, biasId);
    const scales = defined(bias.quantization, 'scale of a bias').scale;
    const steps = new Int32Array(new Uint8Array(defined(bias.data, 'bias')).buffer);
    weights.set(
      bias.id,
      float(
        bias,
        Float32Array.from(steps, (q, i) => q * scales[scales.length === 1 ? 0 : i]!),
      ),
    );
  }
  return { ...graph, tensors: graph.tensors.map((tensor) => weights.get(tensor.id) ?? float(tensor, null)) };
}

function float(tensor: Tensor, values: Float32Array | null): Tensor {
  return { ...tensor, dtype: 'float32', quantization: null, data: values && new Uint8Array(values.buffer) };
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8')) as unknown;
}
