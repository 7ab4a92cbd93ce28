/** The grid of detectors of unknown activities: what is trained on what, and cells that are computed once. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note } from '../../cli/output.ts';
import {
  HEADS,
  isMotion,
  parseTrainConfig,
  type EncoderSpec,
  type FrontEnd,
  type HeadKind,
  type MotionConfig,
} from '../../learn/deep/config.ts';
import { motionSource } from '../../learn/deep/motion-source.ts';
import { train, type Trained } from '../../learn/deep/trainer.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import type { Network } from '../../learn/deep/network.ts';
import { DETECTORS, type DetectorName } from '../../learn/ood/detectors.ts';
import {
  evaluateCalibrated,
  evaluateDetectors,
  evaluatePerturbed,
  type DetectorResult,
  type OodData,
} from '../../learn/ood/evaluate.ts';
import { motionOodData } from '../../learn/ood/motion-data.ts';
import { cell, cellKey, isCached } from './cache.ts';

export const FOLDER = './build/paper/ood';

/**
 * In distribution; every other label of the data set is unknown. `taught`: every second one of those, which a network with a class 'unknown' is
 * trained on; the others it has never met either.
 */
export const MOTION_SETS = {
  'har-wisdm-watch': {
    classes: ['walking', 'jogging', 'stairs', 'standing'],
    taught: ['sitting', 'teeth', 'chips', 'drinking', 'kicking', 'dribbling', 'clapping'],
    average: 1,
  },
  // 50 Hz averaged to 25: a window of 64 frames lasts 2.6 s.
  'har-hapt': {
    classes: ['WALKING', 'WALKING_UPSTAIRS', 'WALKING_DOWNSTAIRS', 'STANDING'],
    taught: ['STAND_TO_SIT', 'SIT_TO_STAND', 'LAYING', 'SIT_TO_LIE'],
    average: 2,
  },
} as const;
export type MotionSet = keyof typeof MOTION_SETS;

export const ENCODERS: Readonly<Record<'raw' | 'image', EncoderSpec>> = {
  raw: {
    kernel: [5, 1],
    stem: { filters: 24, stride: [2, 1] },
    blocks: [32, 48, 64].map((filters, i) => ({ filters, stride: [i === 1 ? 1 : 2, 1], shortcut: false })),
    latent: 32,
  },
  image: {
    kernel: [3, 3],
    stem: { filters: 12, stride: [2, 2] },
    blocks: [32, 52, 72].map((filters) => ({ filters, stride: [2, 2], shortcut: false })),
    latent: 32,
  },
};

/** Baselines that need a network of their own, all with a linear head on raw windows, and the detector that each is there for. */
export const VARIANTS = {
  ensemble: 'ensemble',
  autoencoder: 'reconstruction',
  taught: 'unknown-class',
} as const satisfies Readonly<Record<string, DetectorName>>;
export type Variant = keyof typeof VARIANTS;

export interface Setting {
  readonly set: MotionSet;
  readonly frontEnd: 'raw' | 'image';
  readonly head: HeadKind;
  readonly seed: number;
  readonly variant?: Variant;
}

export interface Cell {
  readonly setting: Setting;
  readonly parameters: number;
  readonly validationAccuracy: number;
  readonly detectors: readonly DetectorResult[];
  /** Without detectors that step along the gradient, as they are not computed yet. */
  readonly isPartial: boolean;
}

export interface GridOptions {
  readonly quick?: boolean;
  /** Compute nothing: of a cell only what is there. */
  readonly cached?: boolean;
  /** Repetitions with other random numbers. */
  readonly seeds: number;
  /** Batches of a training. */
  readonly steps: number;
  /** Folder with the data sets. */
  readonly data: string;
}

/** Seed after seed, so that what an interrupted run leaves are whole grids. */
export function settings(set: MotionSet, { quick, seeds: count }: GridOptions): Setting[] {
  const seeds = Array.from({ length: quick ? 1 : count }, (_, i) => i + 1);
  const fronts = ['raw', 'image'] as const;
  const heads: readonly HeadKind[] = quick ? ['linear', 'deconf-c'] : HEADS;
  const variants = Object.keys(VARIANTS) as Variant[];
  return seeds.flatMap((seed) => [
    ...fronts.flatMap((frontEnd) => heads.map((head): Setting => ({ set, frontEnd, head, seed }))),
    ...variants.map((variant): Setting => ({ set, frontEnd: 'raw', head: 'linear', seed, variant })),
  ]);
}

/** What a variant changes; steps in all stay those of the others. */
function variantOf(
  variant: Variant | undefined,
  set: MotionSet,
  steps: number,
): Record<string, Record<string, unknown>> {
  switch (variant) {
    case undefined:
      return {};
    case 'ensemble':
      return { head: { members: 3 } };
    case 'autoencoder': {
      // Half of the steps for encoder and decoder; the head learns on the frozen encoder, or the decoder would no longer fit it.
      const pretrainSteps = Math.floor(steps / 2);
      return { objective: { kind: 'denoising', pretrainSteps }, schedule: { steps: steps - pretrainSteps } };
    }
    case 'taught':
      return { data: { unknown: [...MOTION_SETS[set].taught] } };
  }
}

/** What --quick saves on is in the configuration, so quick cells have keys of their own. */
function configOf({ set, frontEnd, head, seed, variant }: Setting, { quick, data, steps }: GridOptions): MotionConfig {
  const schedule = quick
    ? { seed, steps: 75, batch: 48, validateSteps: 25 }
    : { seed, steps, batch: 64, validateSteps: Math.ceil(steps / 6) };
  const front: FrontEnd = frontEnd === 'raw' ? { kind: 'raw' } : { kind: 'image', omega: 'gyroscope', omegaScale: 6 };
  const name = `ood_${set}_${frontEnd}_${variant ?? head}_${seed}`.replaceAll('-', '_');
  const { classes, average } = MOTION_SETS[set];
  const input = { kind: 'motion', folder: join(data, set), classes: [...classes], average };
  const encoder = ENCODERS[frontEnd];
  const changes = variantOf(variant, set, schedule.steps);
  const json = {
    ...{ schemaVersion: 1, name, data: { ...input, ...changes.data }, frontEnd: front, encoder },
    ...{ head: { kind: head, ...changes.head }, schedule: { ...schedule, ...changes.schedule } },
    ...(changes.objective ? { objective: changes.objective, fineTune: false } : {}),
  };
  const config = parseTrainConfig(json, name);
  if (!isMotion(config)) throw new Error('internal: no motion');
  return config;
}

/** Trains, or continues, or finds the network trained. */
export function trainCached(config: MotionConfig, folder: string): { key: string; trained: () => Trained } {
  const { folder: dataFolder, ...data } = config.data;
  const manifest = createHash('sha256')
    .update(readFileSync(join(dataFolder, 'manifest.json')))
    .digest('hex');
  const key = cellKey({ config: { ...config, data }, manifest, version: 3 });
  const options = {
    checkpoint: join(folder, `${key}.checkpoint.json`),
    key,
    report: ({ step, steps, point, samplesPerSecond }: Parameters<Parameters<typeof train>[2]['report']>[0]) =>
      note(`${config.name} ${step}/${steps}, loss ${point.loss.toFixed(3)}, ${samplesPerSecond.toFixed(0)} samples/s`),
  };
  return { key, trained: () => train(config, motionSource(loadDataset(dataFolder, data.average), config), options) };
}

/** Unknown validation windows that calibration may see. */
const LITTLE = 100;

/** What names the parts of a cell: its size and accuracy, the detectors, and those with a step along the input's gradient. */
function partsOf(key: string, { quick }: GridOptions, { variant }: Setting) {
  return {
    about: { key, what: 'about' },
    detectors: { key, detectors: variant ? VARIANTS[variant] : DETECTORS, version: 1 },
    // As long as training: ODIN, or the same step with a head of generalised ODIN (arXiv 2002.11297, 3.2). No device can take it.
    perturbed: quick || variant ? null : { key, what: 'perturbed', version: 2 },
    calibrated: { key, what: 'calibrated', unknown: LITTLE, version: 1 },
  };
}

/** Whether the cell is there, at least without the detectors that step along the gradient. */
export function isCellCached(setting: Setting, options: GridOptions): boolean {
  const { about, detectors } = partsOf(trainCached(configOf(setting, options), FOLDER).key, options, setting);
  return [about, detectors].every((inputs) => isCached(FOLDER, inputs));
}

/** Trained network and windows are there only while a figure of the cell is missing. */
export function runCell(setting: Setting, options: GridOptions): Cell {
  const config = configOf(setting, options);
  const { key, trained } = trainCached(config, FOLDER);
  let made: Trained | null = null;
  const network = () => (made ??= trained()).network;
  const split = (unknown?: (label: string) => boolean): OodData => {
    const data = loadDataset(config.data.folder, config.data.average);
    const labels = [...new Set(data.recordings.map(({ label }) => label))];
    return motionOodData(data, config, {
      ...(unknown ? { unknown: labels.filter(unknown) } : {}),
      trainWindowsMax: options.quick ? 1000 : 2000,
      validationUnknownMax: 1500,
    });
  };
  const parts = partsOf(key, options, setting);
  const about = cell(FOLDER, parts.about, () => ({
    parameters: [...network().parameters.values().values()].reduce((sum, { length }) => sum + length, 0),
    validationAccuracy: made!.best.accuracy,
  }));
  const { variant } = setting;
  const detectors = cell(FOLDER, parts.detectors, () =>
    variant ? ofVariant(variant, network(), split, setting) : evaluateDetectors(network(), split()),
  );
  // Of the baseline's own network: the scores that it weighs are those of a linear head.
  const hasCalibrated = variant === undefined && setting.frontEnd === 'raw' && setting.head === 'linear';
  const calibrated = hasCalibrated
    ? [cell(FOLDER, parts.calibrated, () => evaluateCalibrated(network(), split(), LITTLE))]
    : [];
  const isPartial = options.cached === true && parts.perturbed !== null && !isCached(FOLDER, parts.perturbed);
  const perturbed =
    parts.perturbed && !isPartial ? cell(FOLDER, parts.perturbed, () => evaluatePerturbed(network(), split())) : [];
  (made as Trained | null)?.network.dispose();
  return { setting, ...about, detectors: [...detectors, ...calibrated, ...perturbed], isPartial };
}

/** The detector that the variant is there for; for a taught network also on the unknown activities alone that it was not taught. */
function ofVariant(
  variant: Variant,
  network: Network,
  split: (unknown?: (label: string) => boolean) => OodData,
  { set }: Setting,
): DetectorResult[] {
  const names = [VARIANTS[variant]];
  const all = evaluateDetectors(network, split(), names);
  if (variant !== 'taught') return all;
  const taught: readonly string[] = MOTION_SETS[set].taught;
  const others = evaluateDetectors(
    network,
    split((label) => !taught.includes(label)),
    names,
  );
  return [...all, ...others.map((one) => ({ ...one, detector: `${one.detector}, never taught` }))];
}
