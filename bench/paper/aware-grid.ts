/** Cells of the comparison of training with and without knowledge of int8: a network deployed in one way, and which windows of unseen subjects it gets right. */
import { note } from '../../cli/output.ts';
import { join } from 'node:path';
import {
  quantizationOf,
  isMotion,
  parseTrainConfig,
  type Granularity,
  type MotionConfig,
  type QuantizationScheme,
  type TrainConfigInput,
} from '../../learn/deep/config.ts';
import { judge } from '../../learn/deep/deploy.ts';
import { motionSource, standardiseMotion } from '../../learn/deep/motion-source.ts';
import { deployTrained } from '../../learn/deep/train-motion.ts';
import { train, type Trained, type TrainingState } from '../../learn/deep/trainer.ts';
import { argmax } from '../../learn/evaluate/metrics.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { systemWindows, type SystemWindows } from '../../learn/ood/system-scores.ts';
import { cell, cellKey } from './cache.ts';
import { ENCODERS, trainCached } from './ood-grid.ts';
import { withSpreadChannels } from './spread-channels.ts';

export const FOLDER = './build/paper/aware';
export const GAINS = [1, 8] as const;
const DATA_SET = 'har-wisdm-watch';
const CLASSES = ['walking', 'jogging', 'stairs', 'sitting', 'standing', 'clapping'] as const;
const STEPS = { all: 450, aware: 150 } as const;
/** The integer reference takes milliseconds for each. */
const TEST_WINDOWS_MAX = 1500;

/** Factors of channels, 2^-3 to 2^3. */
const SPREAD = 3;
/** After it: a fifth of the training's, of 0.003 and 0.01 the one tried with seed 1 that was better; with 0.05 training diverges. */
const FURTHER_RATE = 0.01;

interface Variant {
  readonly title: string;
  /** Whether the last third of the training, or what follows the spread, knows of int8. */
  readonly aware: boolean;
  /** Title of what differs from it in nothing else. */
  readonly unaware?: string;
  /** Channels of the trained network are spread; then nothing, or as many further steps as the aware phase has, with a new head. */
  readonly spread?: 'only' | 'further';
  readonly scheme: QuantizationScheme;
  readonly granularity: Granularity;
}

const WAYS = [
  { what: 'static, by channel', scheme: 'static', granularity: 'channel' },
  { what: 'static, by layer', scheme: 'static', granularity: 'tensor' },
  { what: 'dynamic-q, by layer', scheme: 'dynamic-q', granularity: 'tensor' },
] as const;

export const VARIANTS: readonly Variant[] = [
  ...WAYS.flatMap(({ what, ...how }) => [
    { title: what, aware: false, ...how },
    { title: `${what}, aware`, aware: true, unaware: what, ...how },
  ]),
  { title: 'dynamic-q, by channel', aware: false, scheme: 'dynamic-q', granularity: 'channel' },
  { title: 'dynamic-asym, by channel', aware: false, scheme: 'dynamic-asym', granularity: 'channel' },
  ...WAYS.flatMap(({ what, ...how }): Variant[] => {
    const unaware = `spread, ${what}, trained on`;
    return [
      { title: `spread, ${what}`, aware: false, spread: 'only', ...how },
      { title: unaware, aware: false, spread: 'further', ...how },
      { title: `${unaware}, aware`, aware: true, spread: 'further', unaware, ...how },
    ];
  }),
];

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
  const { key, trained } = variant?.spread
    ? spreadNetwork(config, variant.spread, seed, options)
    : plainNetwork(config);
  const how = variant && { scheme: variant.scheme, granularity: variant.granularity };
  const inputs = { key, how, gains: GAINS, windows: TEST_WINDOWS_MAX, version: 1 };
  return cell(FOLDER, inputs, () => judged(trained(), variant && config, config));
}

type Cached = ReturnType<typeof trainCached>;

/** One network for all ways to deploy it, if its training does not look at them. */
function plainNetwork(config: MotionConfig): Cached {
  return trainCached(config.schedule.quantizationAwareSteps ? config : { ...config, quantization: undefined }, FOLDER);
}

function spreadNetwork(config: MotionConfig, spread: 'only' | 'further', seed: number, options: AwareOptions): Cached {
  const plain = plainNetwork(configOf(null, seed, options));
  const spec = { channels: 6, exponents: SPREAD, seed };
  const spreadOut = (): Trained => {
    const trained = plain.trained();
    const { parameters } = trained.network;
    parameters.load(withSpreadChannels(parameters.values(), config.encoder, spec));
    return trained;
  };
  const about = { key: plain.key, spread, spec };
  if (spread === 'only') return { key: cellKey(about), trained: spreadOut };
  const { granularity, scheme } = quantizationOf(config);
  const known = config.schedule.quantizationAwareSteps ? granularity : null;
  const dynamic = known !== null && scheme !== 'static' ? { scheme } : {};
  const key = cellKey({ ...about, schedule: config.schedule, granularity: known, ...dynamic });
  const trained = (): Trained => {
    const { network } = spreadOut();
    const initial = network.parameters.values();
    network.dispose();
    const report = ({ step }: TrainingState): void => note(`${config.name}, spread, ${step} further steps`);
    const checkpoint = join(FOLDER, `${key}.checkpoint.json`);
    return train(config, motionSource(loadDataset(config.data.folder), config), { checkpoint, key, initial, report });
  };
  return { key, trained };
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
      ...{ seed, batch: 64, validateSteps: quick ? 25 : 50 },
      steps: (variant?.spread === 'further' ? STEPS.aware : STEPS.all) / part,
      ...(variant?.spread === 'further' && { learningRate: FURTHER_RATE }),
      ...(aware > 0 && { quantizationAwareSteps: aware }),
    },
    ...(variant && { quantization: { scheme: variant.scheme, granularity: variant.granularity } }),
  };
  const config = parseTrainConfig(json, json.name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
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
