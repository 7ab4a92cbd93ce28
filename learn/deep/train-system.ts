/** From a configuration to the files of a decision system, for every kind of sensor; runs tfjs. */
import { basename } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { systemJson } from '../../firmware-gen/system-file.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { startTfjs } from '../tfjs/start.ts';
import { configurationId, isAudio, isMotion, type TrainConfig } from './config.ts';
import { curveSvg } from './curve.ts';
import { judge } from './deploy.ts';
import { motionTrainingData } from './train-motion.ts';
import { soundTrainingData } from './train-sound.ts';
import { train, type TrainOptions } from './trainer.ts';
import { deploySystem, type TrainingData } from './training-data.ts';

export interface TrainSummary {
  readonly name: string;
  readonly best: { readonly step: number; readonly accuracy: number };
  readonly samplesPerSecond: number;
  readonly parameters: number;
  /** The integer system on subjects that took no part; accuracy over known classes, whether accepted or not. */
  readonly test: {
    readonly subjects: readonly (number | string)[];
    readonly windows: number;
    readonly accuracy: number;
    readonly accepted: number;
    readonly unknownWindows: number;
    readonly unknownAccepted: number;
    /** Labels that were learned as unknown, by the same subjects. */
    readonly taughtWindows: number;
    readonly taughtAccepted: number;
  };
}

export interface TrainResult {
  readonly summary: TrainSummary;
  /** Suffix of the configuration's name -> contents. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

function trainingData(config: TrainConfig): TrainingData {
  if (isMotion(config)) return motionTrainingData(config);
  if (isAudio(config)) return soundTrainingData(config);
  throw new UserError(
    `${config.name}: front end "${config.frontEnd.kind}" does not take data of kind "${config.data.kind}"; use mfcc for audio, raw or image for motion`,
  );
}

/** @param config with folders that are there */
export async function trainSystem(config: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  const data = trainingData(config);
  await startTfjs();
  const trained = train(config, data.source, options);
  const system = deploySystem(trained.network, data, config);
  const summary: TrainSummary = {
    name: config.name,
    best: trained.best,
    samplesPerSecond: trained.samplesPerSecond,
    parameters: [...trained.network.parameters.values().values()].reduce((sum, { length }) => sum + length, 0),
    test: judgeUnseen(system, data),
  };
  const encoder = `${config.name}.tflite`;
  const files = new Map<string, string | Uint8Array>([
    ['.tflite', writeTflite(graphToTflite(system.encoder))],
    ['.system.json', systemJson(system, encoder, configurationId(config))],
    [
      '.figures.json',
      `${JSON.stringify({ ...summary, samplesPerSecond: undefined, config: withoutPaths(config) }, null, 2)}\n`,
    ],
    ['.curve.svg', curveSvg(trained.curve, config.name)],
  ]);
  return { summary, files };
}

/** Where data sets lay is nobody's business but their names. */
function withoutPaths(config: TrainConfig): TrainConfig {
  const { data } = config;
  const folder = basename(data.folder);
  if (data.kind === 'motion') return { ...config, data: { ...data, folder } };
  return { ...config, data: { ...data, folder, noise: data.noise && basename(data.noise) } };
}

function judgeUnseen(system: DecisionSystem, data: TrainingData): TrainSummary['test'] {
  const { subjects, known, unknown, taught } = data.test();
  const [ofKnown, ofUnknown] = [judge(system, known.windows), judge(system, unknown)];
  const share = (values: readonly boolean[]): number => values.filter(Boolean).length / Math.max(1, values.length);
  return {
    subjects,
    windows: known.windows.length,
    accuracy: share(known.labels.map((label, i) => ofKnown.labels[i] === label)),
    accepted: share(ofKnown.accepted),
    unknownWindows: unknown.length,
    unknownAccepted: share(ofUnknown.accepted),
    taughtWindows: taught.length,
    taughtAccepted: share(judge(system, taught).accepted),
  };
}
