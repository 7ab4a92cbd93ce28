/** Cells of the transfer grid: an encoder of one data set, its last blocks removed, trained on few windows of another with or without the encoder. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMotion, parseTrainConfig, type MotionConfig } from '../../learn/deep/config.ts';
import { motionSet, motionSource } from '../../learn/deep/motion-source.ts';
import { splitMotion } from '../../learn/deep/splits.ts';
import type { ParameterValues } from '../../learn/deep/parameters.ts';
import { train } from '../../learn/deep/trainer.ts';
import { argmax } from '../../learn/evaluate/metrics.ts';
import { loadDataset, type MotionDataset, type Recording } from '../../learn/har/dataset.ts';
import { motionOodData } from '../../learn/ood/motion-data.ts';
import { createRandom, shuffle } from '../../learn/random.ts';
import { cell } from './cache.ts';
import { ENCODERS, trainCached } from './ood-grid.ts';

const FOLDER = './build/paper/transfer';

export const REMOVED = [0, 1, 2, 3] as const;
export const SAMPLES = [5, 20, 100] as const;

/** A watch at 20 Hz, all that its wearers did; a phone at the waist, 50 Hz averaged to 25, other people. */
const SOURCE = {
  set: 'har-wisdm-watch',
  classes: ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'],
} as const;
const TARGET = {
  set: 'har-hapt',
  classes: ['WALKING', 'WALKING_UPSTAIRS', 'WALKING_DOWNSTAIRS', 'SITTING', 'STANDING', 'LAYING'],
  average: 2,
} as const;

export interface TransferSetting {
  readonly fineTune: boolean;
  /** Blocks taken off the end of the encoder, 0 to 3. */
  readonly removed: number;
  /** Windows of the target per class. */
  readonly samples: number;
  readonly seed: number;
}

export interface TransferCell {
  readonly subjects: readonly string[];
  /** 1 where the class of a test window is right. */
  readonly right: readonly number[];
}

export interface TransferOptions {
  readonly quick?: boolean;
  /** Folder with the data sets. */
  readonly data: string;
}

function motionConfig(json: Readonly<Record<string, unknown>> & { readonly name: string }): MotionConfig {
  const config = parseTrainConfig(json, json.name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
}

function sourceConfig(seed: number, { quick, data }: TransferOptions): MotionConfig {
  const { set, classes } = SOURCE;
  return motionConfig({
    ...{ schemaVersion: 1, name: `transfer_source_${seed}`, frontEnd: { kind: 'raw' }, encoder: ENCODERS.raw },
    ...{ data: { kind: 'motion', folder: join(data, set), classes: [...classes] }, head: { kind: 'linear' } },
    schedule: { seed, steps: quick ? 50 : 600, batch: 64, validateSteps: quick ? 50 : 100 },
  });
}

/** No subject of the target validates: settings are fixed and the parameters after the last step are kept. */
function targetConfig({ fineTune, removed, seed }: TransferSetting, { quick, data }: TransferOptions): MotionConfig {
  const { set, classes, average } = TARGET;
  const steps = quick ? 30 : 150;
  return motionConfig({
    ...{ schemaVersion: 1, name: `transfer_${seed}`, frontEnd: { kind: 'raw' }, encoder: ENCODERS.raw },
    data: { kind: 'motion', folder: join(data, set), classes: [...classes], average, validateEvery: 1000 },
    ...{ head: { kind: 'linear' }, fineTune, removeBlocks: removed },
    schedule: { seed, steps, batch: 48, learningRate: 0.02, validateSteps: steps },
  });
}

/** So many windows of every class, of training subjects, as recordings of their own. */
function few(data: MotionDataset, config: MotionConfig, samples: number, seed: number): MotionDataset {
  const { train: usable } = splitMotion(data, config);
  const { classes, windowFrames } = config.data;
  const channels = data.channels.length;
  const random = createRandom(seed);
  const kept = classes.flatMap((label) => {
    const windows: Recording[] = usable
      .filter((one) => one.label === label)
      .flatMap((one) =>
        Array.from({ length: Math.floor(one.frames / windowFrames) }, (_, i) => ({
          ...{ ...one, id: `${one.id}-${i}`, frames: windowFrames },
          samples: one.samples.subarray(i * windowFrames * channels, (i + 1) * windowFrames * channels),
        })),
      );
    shuffle(windows, random);
    return windows.slice(0, samples);
  });
  return { ...data, recordings: kept };
}

const hashOf = (folder: string): string =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'manifest.json')))
    .digest('hex');

export function transferCell(setting: TransferSetting, options: TransferOptions): TransferCell {
  const source = trainCached(sourceConfig(setting.seed, options), FOLDER);
  const config = targetConfig(setting, options);
  const { folder, ...data } = config.data;
  const inputs = {
    ...{ source: source.key, config: { ...config, data }, manifest: hashOf(folder) },
    ...{ samples: setting.samples, version: 1 },
  };
  return cell(FOLDER, inputs, () => {
    const { network: trained } = source.trained();
    const initial: ParameterValues = trained.parameters.values();
    trained.dispose();
    const all = loadDataset(folder, data.average);
    const target = few(all, config, setting.samples, setting.seed);
    const validation = motionSet(target.recordings, config.data.classes, config.data.windowFrames, all.scale);
    const { network } = train(
      config,
      { ...motionSource(target, config), validation },
      {
        ...{ checkpoint: null, key: '', initial },
        report: () => undefined,
      },
    );
    const { test } = motionOodData(all, config, { trainWindowsMax: 1 });
    const right = network.outputs(test.windows).map(({ logits }, i) => (argmax(logits[0]!) === test.labels[i] ? 1 : 0));
    network.dispose();
    return { subjects: test.subjects, right };
  });
}
