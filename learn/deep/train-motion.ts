/** Everything between a configuration for motion data and the files of a decision system; runs tfjs. */
import { existsSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { systemJson } from '../../firmware-gen/system-file.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { cutWindows, loadDataset, type LabelledWindow, type MotionDataset, type Recording } from '../har/dataset.ts';
import { createRandom, shuffle } from '../random.ts';
import { withStatisticsGate } from '../ood/statistics-gate.ts';
import { systemWindows, type SystemWindows } from '../ood/system-scores.ts';
import { startTfjs } from '../tfjs/start.ts';
import type { TrainConfig } from './config.ts';
import { curveSvg } from './curve.ts';
import { deploy, judge } from './deploy.ts';
import { motionSource, splitMotion } from './motion-source.ts';
import type { Network } from './network.ts';
import { train, type TrainOptions } from './trainer.ts';

export type MotionConfig = TrainConfig & { readonly data: { readonly kind: 'motion' } };

export interface TrainSummary {
  readonly name: string;
  readonly best: { readonly step: number; readonly accuracy: number };
  readonly samplesPerSecond: number;
  readonly parameters: number;
  /** The integer system on subjects that took no part; accuracy over known classes, whether accepted or not. */
  readonly test: {
    readonly subjects: readonly number[];
    readonly windows: number;
    readonly accuracy: number;
    readonly accepted: number;
    readonly unknownWindows: number;
    readonly unknownAccepted: number;
  };
}

export interface TrainMotionResult {
  readonly summary: TrainSummary;
  /** Suffix of the configuration's name -> contents. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

export function isMotion(config: TrainConfig): config is MotionConfig {
  return config.data.kind === 'motion';
}

/** Relative folders are looked for from the checkout, so that a recipe works from anywhere. */
export function dataFolder(folder: string): string {
  return isAbsolute(folder) || existsSync(folder) ? folder : join(packageRoot(), folder);
}

export async function trainMotion(config: TrainConfig, options: TrainOptions): Promise<TrainMotionResult> {
  if (!isMotion(config)) throw new UserError(`${config.name}: only data of kind "motion" is trained by this command`);
  const data = loadDataset(dataFolder(config.data.folder), config.data.average);
  await startTfjs();
  const source = motionSource(data, config);
  const trained = train(config, source, options);
  const system = deployTrained(trained.network, data, config);
  const summary: TrainSummary = {
    name: config.name,
    best: trained.best,
    samplesPerSecond: trained.samplesPerSecond,
    parameters: [...trained.network.parameters.values().values()].reduce((sum, { length }) => sum + length, 0),
    test: judgeUnseen(system, data, config),
  };
  const encoder = `${config.name}.tflite`;
  // Where the data set lay is nobody's business but its name.
  const described = { ...config, data: { ...config.data, folder: basename(config.data.folder) } };
  const files = new Map<string, string | Uint8Array>([
    ['.tflite', writeTflite(graphToTflite(system.encoder))],
    ['.system.json', systemJson(system, encoder)],
    ['.figures.json', `${JSON.stringify({ ...summary, samplesPerSecond: undefined, config: described }, null, 2)}\n`],
    ['.curve.svg', curveSvg(trained.curve, config.name)],
  ]);
  return { summary, files };
}

/** Windows without overlap, raw counts. */
function rawWindows(
  { channels }: Pick<MotionDataset, 'channels'>,
  recordings: readonly Recording[],
  classes: readonly string[],
  windowFrames: number,
): LabelledWindow[] {
  return cutWindows({ recordings, channels }, { classes, windowFrames, hopFrames: windowFrames });
}

/** Ranges and prototypes from training windows, threshold and temperature from validation windows, as config.deploy says. */
export function deployTrained(network: Network, data: MotionDataset, config: MotionConfig): DecisionSystem {
  const { train: training, validation } = splitMotion(data, config);
  const { classes, windowFrames } = config.data;
  const calibration = rawWindows(data, training, classes, windowFrames);
  shuffle(calibration, createRandom(config.schedule.seed));
  const held = rawWindows(data, validation, classes, windowFrames);
  const system = deploy(network, {
    rawScale: data.scale,
    calibration: calibration.slice(0, config.deploy.calibrationWindows).map(({ samples }) => samples),
    validation: { windows: held.map(({ samples }) => samples), labels: held.map(({ label }) => label) },
    hopFrames: config.deploy.hopFrames ?? Math.ceil(windowFrames / 2),
    truePositiveRate: config.deploy.accept,
    switching: config.deploy.switching,
  });
  if (config.deploy.detector !== 'statistics') return system;
  const known = (recordings: readonly Recording[]): SystemWindows => systemWindows(system, data, recordings, classes);
  return withStatisticsGate(system, known(training), known(validation), {
    rawScale: data.scale,
    halfTurn: config.augmentation.flip > 0,
    accept: config.deploy.accept,
    seed: config.schedule.seed,
  });
}

function judgeUnseen(
  system: Parameters<typeof judge>[0],
  data: MotionDataset,
  config: MotionConfig,
): TrainSummary['test'] {
  const { train: training, validation } = splitMotion(data, config);
  const seen = new Set([...training, ...validation].map(({ subject }) => subject));
  const test = data.recordings.filter(({ subject, split }) => split !== 'train' && !seen.has(subject));
  const { classes, unknown, windowFrames } = config.data;
  const others = [...new Set(data.recordings.map(({ label }) => label))].filter(
    (label) => !classes.includes(label) && !unknown.includes(label),
  );
  const [known, strange] = [classes, others].map((labels) => rawWindows(data, test, labels, windowFrames)) as [
    LabelledWindow[],
    LabelledWindow[],
  ];
  const samplesOf = (windows: typeof known): Int16Array[] => windows.map(({ samples }) => samples);
  const [ofKnown, ofStrange] = [judge(system, samplesOf(known)), judge(system, samplesOf(strange))];
  const share = (values: readonly boolean[]): number => values.filter(Boolean).length / Math.max(1, values.length);
  return {
    subjects: [...new Set(test.map(({ subject }) => subject))],
    windows: known.length,
    accuracy: share(known.map(({ label }, i) => ofKnown.labels[i] === label)),
    accepted: share(ofKnown.accepted),
    unknownWindows: strange.length,
    unknownAccepted: share(ofStrange.accepted),
  };
}
