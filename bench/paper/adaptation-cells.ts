/** Cells of the adaptation table: top-1 before and after by subject, and what one model that learns costs on the emulated board. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { UserError } from '../../common/errors.ts';
import type { AdaptArithmetic, Adaptation, AdaptLayers } from '../../firmware-gen/ir/adaptation.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { adaptation, calibratedSteps } from '../../firmware-gen/passes/adaptation.ts';
import { LearnerReference } from '../../firmware-gen/reference/adaptation/learner.ts';
import { EmulatedLearner, compileLearner, recordWeights } from '../../harness/adaptation.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { standardiseMotion } from '../../learn/deep/motion-source.ts';
import { cutWindows, loadDataset, type MotionDataset } from '../../learn/har/dataset.ts';
import { quantizeDynamic } from '../../learn/quantize/dynamic.ts';
import { STATIC_DEFAULTS, quantizeStatic } from '../../learn/quantize/static.ts';
import { createRandom, shuffle } from '../../learn/random.ts';
import { CLASSES, FOLDER, TRAINED_ON, floatClassifier, type Features, type ModelOptions } from './adaptation-models.ts';
import { cachedCell } from './cache.ts';
import { FIRMWARE_CODE, codeHash } from './cells.ts';

export const INFERENCES = ['static', 'dynamic'] as const;
export type Inference = (typeof INFERENCES)[number];
export const TASKS = { subjects: 'har-wisdm-watch', phone: 'har-wisdm-phone' } as const;
export type Task = keyof typeof TASKS;
export const BOARD = 'nucleo-l4r5zi';

/** Per class: windows that are learned from, the first of the recording. */
export const ADAPT_WINDOWS = 10;
const WINDOW_FRAMES = 64;
const CALIBRATION_WINDOWS = 256;
/** What the rate and the number of passes are chosen from, on subjects of the training set that validated. */
const RATES = [0.003, 0.01, 0.03, 0.1] as const;
const EPOCHS = [1, 3, 10] as const;
/** Per class, windows that the board does; the reference does the rest. */
const BOARD_WINDOWS = 2;
/** To be raised when what is learned changes; what it costs depends on all code. */
const VERSION = 2;

export interface Setting {
  readonly features: Features;
  readonly inference: Inference;
  readonly layers: AdaptLayers;
  readonly arithmetic: AdaptArithmetic;
}

interface Window {
  readonly subject: number;
  readonly label: number;
  readonly values: Float32Array;
}

/** Windows that do not overlap, in the order of the recordings. */
function windowsOf(
  { recordings, channels, scale }: MotionDataset,
  keep: (subject: number, split: string) => boolean,
): Window[] {
  const some = recordings.filter(({ subject, split }) => keep(subject, split));
  return cutWindows(
    { recordings: some, channels },
    { classes: CLASSES, windowFrames: WINDOW_FRAMES, hopFrames: WINDOW_FRAMES },
  ).map(({ subject, label, samples }) => ({ subject, label, values: standardiseMotion(samples, scale) }));
}

const subjectsOf = (windows: readonly Window[]): number[] => [...new Set(windows.map(({ subject }) => subject))];

/** Data are read once per process. */
export class AdaptationBench {
  private readonly options: ModelOptions;
  private readonly datasets = new Map<string, MotionDataset>();
  private readonly graphs = new Map<
    string,
    { graph: Graph; sha256: string; steps: (layers: AdaptLayers) => number[] }
  >();
  private readonly featureSets = new Map<string, Int16Array[]>();
  private readonly hash: string;

  constructor(options: ModelOptions) {
    this.options = options;
    const digest = createHash('sha256');
    for (const name of Object.values(TASKS)) digest.update(readFileSync(join(options.data, name, 'manifest.json')));
    this.hash = digest.digest('hex');
  }

  private dataset(name: string): MotionDataset {
    const known = this.datasets.get(name) ?? loadDataset(join(this.options.data, name));
    this.datasets.set(name, known);
    return known;
  }

  /** Windows of people who were in no training; with the phone, of another device too. */
  private testWindows(task: Task): Window[] {
    const seen = new Set(
      this.dataset(TRAINED_ON)
        .recordings.filter(({ split }) => split === 'train')
        .map(({ subject }) => subject),
    );
    const all = windowsOf(this.dataset(TASKS[task]), (subject) => !seen.has(subject));
    const first = subjectsOf(all).slice(0, 2);
    return this.options.quick ? all.filter(({ subject }) => first.includes(subject)) : all;
  }

  /** Subjects of the training split that only validated (every fifth, as motionSource splits). */
  private validationWindows(): Window[] {
    const training = this.dataset(TRAINED_ON).recordings.filter(({ split }) => split === 'train');
    const subjects = [...new Set(training.map(({ subject }) => subject))].filter((_, i) => i % 5 === 4);
    return windowsOf(this.dataset(TRAINED_ON), (subject) => subjects.includes(subject));
  }

  private async quantized(features: Features, inference: Inference) {
    const name = `${features}, ${inference}`;
    const known = this.graphs.get(name);
    if (known) return known;
    const model = await floatClassifier(features, this.options);
    const training = windowsOf(this.dataset(TRAINED_ON), (subject, split) => split === 'train');
    shuffle(training, createRandom(1));
    const samples = training.slice(0, CALIBRATION_WINDOWS).map(({ values }) => values);
    const fixed = quantizeStatic(model.graph, samples, STATIC_DEFAULTS).quantized;
    const graph =
      inference === 'static'
        ? fixed
        : quantizeDynamic(model.graph, samples, {
            scheme: 'q',
            form: 'full',
            granularity: 'channel',
            equalization: false,
          }).quantized;
    const made = { graph, sha256: model.sha256, steps: (layers: AdaptLayers) => calibratedSteps(fixed, layers) };
    this.graphs.set(name, made);
    return made;
  }

  private async taken({ features, inference, layers, arithmetic }: Setting, rate: number): Promise<Adaptation> {
    const { graph, steps } = await this.quantized(features, inference);
    return adaptation(graph, { layers, arithmetic, rate, steps: steps(layers) });
  }

  /** Of every window; the encoder is the same for all arithmetics. */
  private featuresOf(
    setting: Setting,
    set: string,
    windows: readonly Window[],
    learner: LearnerReference,
    graph: Graph,
  ): Int16Array[] {
    const depth = setting.layers === 'block' ? 2 : 1;
    const key = [setting.features, setting.inference, depth, set].join();
    const known =
      this.featureSets.get(key) ?? windows.map(({ values }) => learner.features(modelInputs(graph, values)));
    this.featureSets.set(key, known);
    return known;
  }

  /** Rate and passes that help validation subjects most, in float with dynamic inference: the same for every cell with these features and layers. */
  async schedule(features: Features, layers: AdaptLayers): Promise<{ rate: number; epochs: number; accuracy: number }> {
    const setting = { features, inference: 'dynamic', layers, arithmetic: 'float' } as const;
    return cachedCell(FOLDER, this.inputs('schedule', setting), async () => {
      const windows = this.validationWindows();
      let best = { rate: 0, epochs: 0, accuracy: -1 };
      for (const rate of RATES) {
        const learner = new LearnerReference(await this.taken(setting, rate));
        const { graph } = await this.quantized(features, 'dynamic');
        const values = this.featuresOf(setting, 'validation', windows, learner, graph);
        for (const epochs of EPOCHS) {
          const results = subjectsOf(windows).map(
            (subject) => adaptSubject(learner, windows, values, subject, epochs).after,
          );
          const right = results.flat();
          const accuracy = right.reduce((a, b) => a + b, 0) / right.length;
          if (accuracy > best.accuracy) best = { rate, epochs, accuracy };
        }
      }
      return best;
    });
  }

  private inputs(what: string, rest: object): object {
    const { quick = false, seed } = this.options;
    return {
      what,
      ...rest,
      quick,
      seed,
      data: this.hash,
      RATES,
      EPOCHS,
      ADAPT_WINDOWS,
      CALIBRATION_WINDOWS,
      BOARD,
      BOARD_WINDOWS,
      version: VERSION,
    };
  }

  /** 1 where the class of a window that was not learned from is right. */
  async accuracy(setting: Setting, task: Task): Promise<SubjectResult[]> {
    const schedule = await this.schedule(setting.features, setting.layers);
    return cachedCell(FOLDER, this.inputs('accuracy', { setting, task, schedule }), async () => {
      const learner = new LearnerReference(await this.taken(setting, schedule.rate));
      const { graph } = await this.quantized(setting.features, setting.inference);
      const windows = this.testWindows(task);
      const values = this.featuresOf(setting, task, windows, learner, graph);
      return subjectsOf(windows).map((subject) => adaptSubject(learner, windows, values, subject, schedule.epochs));
    });
  }

  /** The board learns from some windows of the first subject of each task; scores, probabilities and weights must be the reference's. */
  async cost(setting: Setting): Promise<Cost> {
    const schedule = await this.schedule(setting.features, setting.layers);
    return cachedCell(FOLDER, this.inputs('cost', { setting, schedule, code: codeHash(FIRMWARE_CODE) }), async () => {
      const taken = await this.taken(setting, schedule.rate);
      const { graph, sha256 } = await this.quantized(setting.features, setting.inference);
      const board = loadBoard(BOARD);
      const dir = join(FOLDER, 'firmware', `${Object.values(setting).join('-')}-${this.options.seed}`);
      const compiled = await compileLearner(taken, dir, { board, modelSha256: sha256, harness: null });
      const target = new EmulatedLearner(compiled, board, 'wasm', 'exact');
      const learner = new LearnerReference(taken);
      let [windows, inferCycles, learnCycles] = [0, 0, 0];
      for (const task of Object.keys(TASKS) as Task[]) {
        const all = this.testWindows(task);
        const own = all.filter(({ subject }) => subject === all[0]!.subject);
        target.restart();
        learner.restart();
        for (const { values, label } of interleaved(own, BOARD_WINDOWS).learned.map((i) => own[i]!)) {
          const inputs = modelInputs(graph, values);
          const features = learner.features(inputs);
          const { scores, cycles } = target.infer(inputs);
          requireEqual(scores, learner.classify(features).scores, setting);
          const step = target.learn(label);
          requireEqual([step.probability], [learner.learn(features, label)], setting);
          [windows, inferCycles, learnCycles] = [windows + 1, cycles, step.cycles];
        }
        for (const [i, weights] of recordWeights(taken, target.record()).entries())
          requireEqual(weights, learner.weights()[i]!.weights, setting);
      }
      const ramBytes = compiled.image.dataBytes + compiled.image.bssBytes + target.stackBytes();
      target.close();
      return { windows, inferCycles, learnCycles, ramBytes, flashBytes: compiled.image.flashBytes };
    });
  }
}

export interface SubjectResult {
  readonly subject: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface Cost {
  /** That the board learned from and that equal the reference's. */
  readonly windows: number;
  /** Of the last window: encoder and classification; one step. */
  readonly inferCycles: number;
  readonly learnCycles: number;
  readonly ramBytes: number;
  readonly flashBytes: number;
}

/** Indices of the first windows of every class, classes in turn, and of the others. */
function interleaved(windows: readonly Window[], perClass: number): { learned: number[]; tested: number[] } {
  const byClass = CLASSES.map((_, label) => [...windows.keys()].filter((i) => windows[i]!.label === label));
  const learned = Array.from({ length: perClass }, (_, i) => byClass.flatMap((indices) => indices[i] ?? [])).flat();
  return { learned, tested: byClass.flatMap((indices) => indices.slice(perClass)) };
}

function adaptSubject(
  learner: LearnerReference,
  all: readonly Window[],
  features: readonly Int16Array[],
  subject: number,
  epochs: number,
): SubjectResult {
  const own = [...all.keys()].filter((i) => all[i]!.subject === subject);
  const { learned, tested } = interleaved(
    own.map((i) => all[i]!),
    ADAPT_WINDOWS,
  );
  const right = (): number[] =>
    tested.map((i) => (learner.classify(features[own[i]!]!).label === all[own[i]!]!.label ? 1 : 0));
  learner.restart();
  const before = right();
  for (let epoch = 0; epoch < epochs; epoch += 1)
    for (const i of learned) learner.learn(features[own[i]!]!, all[own[i]!]!.label);
  return { subject, before, after: right() };
}

function requireEqual(actual: ArrayLike<number>, expected: ArrayLike<number>, setting: Setting): void {
  const at = Array.from(expected).findIndex((value, i) => value !== actual[i]);
  if (at < 0 && actual.length === expected.length) return;
  throw new UserError(
    `${Object.values(setting).join(', ')}: the board has ${actual[at]}, the reference ${expected[at]} at ${at}; C and reference differ`,
    1,
  );
}
