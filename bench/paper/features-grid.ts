/** Cells of the comparison of deep features: a task, an objective, a seed; which test windows are right, as recorded and shifted. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note } from '../../cli/output.ts';
import { loadClips, loadNoise } from '../../learn/data/clips.ts';
import { audioSource } from '../../learn/deep/audio-source.ts';
import { isAudio, isMotion, parseTrainConfig, type OBJECTIVES, type TrainConfig } from '../../learn/deep/config.ts';
import { withNoise, type DataSource, type LabelledSet } from '../../learn/deep/data-source.ts';
import { motionSource } from '../../learn/deep/motion-source.ts';
import { train } from '../../learn/deep/trainer.ts';
import { argmax } from '../../learn/evaluate/metrics.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { motionOodData } from '../../learn/ood/motion-data.ts';
import { createRandom } from '../../learn/random.ts';
import { cell, cellKey } from './cache.ts';
import { ENCODERS } from './ood-grid.ts';

export const FEATURE_TASKS = ['har', 'kws-arabic', 'kws-gsc'] as const;
export type FeatureTask = (typeof FEATURE_TASKS)[number];
export type Objective = (typeof OBJECTIVES)[number];

const FOLDER = './build/paper/features';

export interface FeatureSetting {
  readonly task: FeatureTask;
  readonly objective: Objective;
  readonly seed: number;
}

export interface FeatureCell {
  readonly validationAccuracy: number;
  readonly subjects: readonly string[];
  /** 1 where the class is right. */
  readonly plain: readonly number[];
  readonly shifted: readonly number[];
}

const TASKS = {
  har: { folder: 'har-wisdm-watch', classes: ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'] },
  'kws-arabic': {
    folder: 'kws-arabic',
    classes: ['yes', 'no', 'up', 'down', 'left', 'right', 'start', 'stop', 'open', 'close'],
  },
  'kws-gsc': { folder: 'kws-gsc', classes: ['bed', 'cat', 'happy'] },
} as const;

interface GridOptions {
  readonly quick?: boolean;
  /** Words with recorded noise in training, other than the test's. */
  readonly noise?: boolean;
  readonly data: string;
}

function configOf({ task, objective, seed }: FeatureSetting, { quick, noise, data }: GridOptions): TrainConfig {
  const { folder, classes } = TASKS[task];
  const isBaseline = objective === 'classify';
  const isMotionTask = task === 'har';
  const [pretrainSteps, headSteps] = quick ? [25, 50] : isMotionTask ? [150, 300] : [400, 800];
  const where = join(data, folder);
  const json = {
    schemaVersion: 1,
    name: `features_${task}_${objective}_${seed}`.replaceAll('-', '_'),
    data: isMotionTask
      ? { kind: 'motion', folder: where, classes: [...classes] }
      : {
          ...{ kind: 'audio', folder: where, classes: [...classes], variants: quick ? 4 : 8 },
          noise: noise ? join(data, 'noise') : null,
        },
    frontEnd: { kind: isMotionTask ? 'raw' : 'mfcc' },
    encoder: ENCODERS.raw,
    head: { kind: 'linear' },
    objective: { kind: objective, pretrainSteps: isBaseline ? 0 : pretrainSteps },
    // The baseline has as many steps in all.
    schedule: { seed, steps: headSteps + (isBaseline ? pretrainSteps : 0), batch: 64, validateSteps: quick ? 25 : 50 },
  };
  return parseTrainConfig(json, json.name);
}

interface Task {
  readonly source: DataSource;
  readonly plain: LabelledSet;
  readonly shifted: LabelledSet;
}

let latest: { readonly key: string; readonly task: Task } | null = null;

/** All objectives of a task and a seed draw from the same windows, which are made once: the front end takes as long as a training. */
function loadOnce(config: TrainConfig, options: GridOptions): Task {
  const key = cellKey({ ...config, name: '', objective: config.objective.noiseDb, schedule: config.schedule.seed });
  if (latest?.key !== key) latest = { key, task: load(config, options) };
  return latest.task;
}

function load(config: TrainConfig, { data }: GridOptions): Task {
  if (isMotion(config)) {
    const set = loadDataset(config.data.folder);
    const { test } = motionOodData(set, config, { trainWindowsMax: 1 });
    const random = createRandom(1);
    const windows = test.windows.map((window) => withNoise(window, [5, 5], random).map((value) => 1.5 * value));
    return { source: motionSource(set, config), plain: test, shifted: { ...test, windows } };
  }
  if (!isAudio(config)) throw new Error('internal: neither motion nor audio');
  const trainingNoise = config.data.noise === null ? null : loadNoise(config.data.noise, 'train');
  const source = audioSource(loadClips(config.data.folder), config, trainingNoise);
  // These recordings are for tests alone: every objective meets them for the first time.
  const noise = { recordings: loadNoise(join(data, 'noise'), 'test'), ratioDb: [0, 10] as const };
  const shifted = source.test({ shift: 1600, gainDb: [-12, 6], noise });
  return { source, plain: source.test(null), shifted };
}

export function featureCell(setting: FeatureSetting, options: GridOptions): FeatureCell {
  const config = configOf(setting, options);
  const manifest = createHash('sha256')
    .update(readFileSync(join(config.data.folder, 'manifest.json')))
    .digest('hex');
  const { data } = config;
  const named = {
    ...data,
    folder: setting.task,
    ...(data.kind === 'audio' && data.noise !== null && { noise: 'noise' }),
  };
  // 2: cepstra in Q5, shifted clips with their own background.
  const inputs = { config: { ...config, data: named }, manifest, version: data.kind === 'audio' ? 2 : 1 };
  return cell(FOLDER, inputs, (key) => {
    const { source, plain, shifted } = loadOnce(config, options);
    const trained = train(config, source, {
      checkpoint: join(FOLDER, `${cellKey(inputs)}.checkpoint.json`),
      key,
      report: ({ step, steps, point, samplesPerSecond }) =>
        note(
          `${config.name} ${step}/${steps}, loss ${point.loss.toFixed(3)}, ${samplesPerSecond.toFixed(0)} samples/s`,
        ),
    });
    const right = ({ windows, labels }: LabelledSet): number[] =>
      trained.network.outputs(windows).map(({ logits }, i) => (argmax(logits[0]!) === labels[i] ? 1 : 0));
    const result = {
      validationAccuracy: trained.best.accuracy,
      subjects: plain.subjects,
      plain: right(plain),
      shifted: right(shifted),
    };
    trained.network.dispose();
    return result;
  });
}
