/** Cells of the comparison of training with and without knowledge of int8: a network deployed in one way, and which windows of unseen subjects it gets right. */
import { note } from '../../cli/output.ts';
import { join } from 'node:path';
import {
  isMotion,
  parseTrainConfig,
  type Granularity,
  type MotionConfig,
  type QuantizationScheme,
  type TrainConfigInput,
} from '../../learn/deep/config.ts';
import { judge } from '../../learn/deep/deploy.ts';
import { standardiseMotion } from '../../learn/deep/motion-source.ts';
import { deployTrained } from '../../learn/deep/train-motion.ts';
import type { Trained } from '../../learn/deep/trainer.ts';
import { argmax } from '../../learn/evaluate/metrics.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { systemWindows, type SystemWindows } from '../../learn/ood/system-scores.ts';
import { cell } from './cache.ts';
import { ENCODERS, trainCached } from './ood-grid.ts';

export const FOLDER = './build/paper/aware';
export const GAINS = [1, 8] as const;
const DATA_SET = 'har-wisdm-watch';
const CLASSES = ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'] as const;
const STEPS = { all: 450, aware: 150 } as const;
/** The integer reference takes milliseconds for each. */
const TEST_WINDOWS_MAX = 1500;

interface Variant {
  readonly title: string;
  /** Whether the last third of the training knows of int8. */
  readonly aware: boolean;
  readonly scheme: QuantizationScheme;
  readonly granularity: Granularity;
}

export const VARIANTS = [
  { title: 'int8, by channel, after training', aware: false, scheme: 'static', granularity: 'channel' },
  { title: 'int8, by channel, aware', aware: true, scheme: 'static', granularity: 'channel' },
  { title: 'int8, by layer, after training', aware: false, scheme: 'static', granularity: 'tensor' },
  { title: 'int8, by layer, aware', aware: true, scheme: 'static', granularity: 'tensor' },
  { title: 'dynamic-q, after training', aware: false, scheme: 'dynamic-q', granularity: 'channel' },
  { title: 'dynamic-asym, after training', aware: false, scheme: 'dynamic-asym', granularity: 'channel' },
] as const satisfies readonly Variant[];

export interface AwareOptions {
  readonly quick?: boolean;
  /** Folder of the data sets. */
  readonly data: string;
}

export interface AwareCell {
  readonly validationAccuracy: number;
  readonly subjects: readonly string[];
  /** By gain: 1 where the class is right. */
  readonly right: readonly (readonly number[])[];
  /** By gain: 1 where the class is that of the same network in float. */
  readonly same: readonly (readonly number[])[];
}

/** @param variant null: the float network, trained without knowledge of int8 */
export function awareCell(variant: Variant | null, seed: number, options: AwareOptions): AwareCell {
  const config = configOf(variant, seed, options);
  const { key, trained } = trainCached(trainingConfig(config), FOLDER);
  const how = variant && { scheme: variant.scheme, granularity: variant.granularity };
  const inputs = { key, how, gains: GAINS, windows: TEST_WINDOWS_MAX, version: 1 };
  return cell(FOLDER, inputs, () => judged(trained(), variant && config, config));
}

function configOf(variant: Variant | null, seed: number, { quick, data }: AwareOptions): MotionConfig {
  const part = quick ? 6 : 1;
  const aware = variant?.aware ? STEPS.aware / part : 0;
  const json: TrainConfigInput = {
    schemaVersion: 1,
    name: `aware_${aware === 0 ? 'float' : variant!.granularity}_${seed}`,
    data: { kind: 'motion', folder: join(data, DATA_SET), classes: [...CLASSES] },
    frontEnd: { kind: 'raw' },
    encoder: ENCODERS.raw,
    head: { kind: 'linear' },
    schedule: {
      ...{ seed, steps: STEPS.all / part, batch: 64, validateSteps: quick ? 25 : 50 },
      ...(aware > 0 && { quantizationAwareSteps: aware }),
    },
    ...(variant && { quantization: { scheme: variant.scheme, granularity: variant.granularity } }),
  };
  const config = parseTrainConfig(json, json.name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
}

/** One network for all ways to deploy it, if its training does not look at them. */
function trainingConfig(config: MotionConfig): MotionConfig {
  return config.schedule.quantizationAwareSteps ? config : { ...config, quantization: undefined };
}

/** @param deployed null: float */
function judged(
  { network, best }: Trained,
  deployed: MotionConfig | null,
  { data: { folder }, name }: MotionConfig,
): AwareCell {
  const data = loadDataset(folder);
  const system = deployed && deployTrained(network, data, deployed);
  const windows = unseenWindows(data, network.source.frames);
  const [right, same] = [[] as number[][], [] as number[][]];
  for (const gain of GAINS) {
    const samples = windows.samples.map((window) =>
      window.map((value) => Math.min(32767, Math.max(-32768, gain * value))),
    );
    const float = network
      .outputs(samples.map((window) => standardiseMotion(window, data.scale)))
      .map(({ logits }) => argmax(logits[0]!));
    const labels = system ? judge(system, samples).labels : float;
    right.push(labels.map((label, i) => (label === windows.labels[i] ? 1 : 0)));
    same.push(labels.map((label, i) => (label === float[i] ? 1 : 0)));
  }
  network.dispose();
  note(`${name}: judged`);
  return { validationAccuracy: best.accuracy, subjects: windows.subjects, right, same };
}

/** Of subjects outside the split "train", every so-many-th. */
function unseenWindows(data: ReturnType<typeof loadDataset>, frames: number): SystemWindows {
  const stream = { channels: data.channels.length, frames, hop: frames };
  const recordings = data.recordings.filter(({ split }) => split !== 'train');
  const all = systemWindows({ name: DATA_SET, stream }, data, recordings, CLASSES);
  const step = Math.ceil(all.samples.length / TEST_WINDOWS_MAX);
  const keep = <T>(values: readonly T[]): T[] => values.filter((_, i) => i % step === 0);
  return { samples: keep(all.samples), labels: keep(all.labels), subjects: keep(all.subjects) };
}
