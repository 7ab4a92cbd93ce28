/**
 * Spoken words for training: cepstral coefficients by the fixed-point front end that devices run, of clips shifted in time, louder or softer, with
 * noise mixed in. Variants of every clip are made once; a training draws among them, equally many of every class.
 */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../common/errors.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import type { Clip, ClipSet } from '../data/clips.ts';
import { createRandom, type Random } from '../random.ts';
import { learnsUnknown, type AudioConfig } from './config.ts';
import { UNKNOWN, withNoise, type DataSource, type LabelledSet } from './data-source.ts';
import { CEPSTRA_UNIT, soundSensor, type Standardisation } from './sensors.ts';
import { disturb, noWordOf, type Disturbance } from './sound-augment.ts';
import { classOfClip, splitClips, validating } from './splits.ts';

export interface AudioSource extends DataSource {
  readonly standardisation: Standardisation;
  /** Clips of the classes by speakers outside the split "train", as standardised windows. @param disturbance null: as recorded */
  test(disturbance: Disturbance | null): LabelledSet;
}

const SHIFT_SECONDS = 0.1;
const GAIN_DB = [-6, 6] as const;
const NOISE_DB = [5, 25] as const;

type Windows = readonly Int16Array[];

/** Windows of cepstra to train with. */
interface Variants {
  /** By class, 'unknown' among them when words of it are learned. */
  readonly words: readonly Windows[];
  /** Of the class 'unknown', by kind. */
  readonly noWords: readonly Windows[];
}

function variantsOf(
  train: readonly Clip[],
  config: AudioConfig,
  { transform, sampleRateHz, noise }: { transform: Transform; sampleRateHz: number; noise: Windows | null },
): Variants {
  const { classes, variants, noWords = [], speed = 0 } = config.data;
  const random = createRandom(config.schedule.seed);
  const disturbance: Disturbance = {
    ...{ shift: SHIFT_SECONDS * sampleRateHz, gainDb: GAIN_DB, speed },
    noise: noise && { recordings: noise, ratioDb: NOISE_DB },
  };
  // The first variant is the clip itself.
  const raw = train.map(({ samples }) =>
    Array.from({ length: variants }, (_, v) => transform(v === 0 ? samples : disturb(samples, disturbance, random))),
  );
  const labels = train.map((clip) => classOfClip(clip, config));
  const ofClass = (index: number): Windows => train.flatMap((_, i) => (labels[i] === index ? raw[i]! : []));
  const isInPlace = { ...disturbance, shift: 0 };
  return {
    words: [...classes, ...(labels.includes(classes.length) ? [UNKNOWN] : [])].map((_, index) => ofClass(index)),
    noWords: noWords.map((kind) =>
      Array.from({ length: NO_WORDS_PER_CLIP * train.length }, () =>
        transform(disturb(noWordOf(kind, train, noise, random), isInPlace, random)),
      ),
    ),
  };
}

const NO_WORDS_PER_CLIP = 1;

type Transform = (samples: Int16Array) => Int16Array;

/** @param noise recordings to train with. @throws UserError when a class has no clips */
export function audioSource(set: ClipSet, config: AudioConfig, noise: readonly Int16Array[] | null): AudioSource {
  const { classes, unknown = [], unknownWeight = 1 } = config.data;
  const { train, validation, unseen } = splitClips(set, config);
  const missing = [
    ...classes.filter((label) => !train.some((clip) => clip.label === label)),
    ...unknown.filter((word) => !train.some((clip) => clip.word === word)),
  ];
  if (missing.length > 0)
    throw new UserError(`${config.data.folder}: no clips of ${missing.join(', ')} to train on; correct the classes`);
  const params = { ...config.frontEnd, sampleRateHz: set.sampleRateHz };
  const transform = clipCepstra(params);
  const { coefficients } = config.frontEnd;
  const made = variantsOf(train, config, { transform, sampleRateHz: set.sampleRateHz, noise });
  const known = made.words.slice(0, classes.length);
  const scaling = standardisation(known.flat(), coefficients);
  const sensor = soundSensor(params, scaling);
  const standardise = (window: Int16Array): Float32Array => sensor.floats(window)[0]!;
  const words = made.words.map((windows) => windows.map(standardise));
  const noWords = made.noWords.map((windows) => windows.map(standardise));
  const labelled = (clips: readonly Clip[], change: Transform): LabelledSet => ({
    windows: clips.map(({ samples }) => standardise(transform(change(samples)))),
    labels: clips.map((clip) => classOfClip(clip, config)),
    subjects: clips.map(({ speaker }) => speaker),
  });
  const frames = words[0]![0]!.length / coefficients;
  const groups = classes.length + (learnsUnknown(config) ? unknownWeight : 0);
  /** Words of the class and, for the unknown, half of the time (if there are any) something that is no word. */
  const pool = (label: number, drawn: Random): readonly Float32Array[] => {
    const ofClass = words[label];
    const isNoWord = label === classes.length && noWords.length > 0 && (!ofClass || drawn.uniform() < 0.5);
    return isNoWord ? noWords[drawn.integer(noWords.length)]! : ofClass!;
  };
  return {
    classes: learnsUnknown(config) ? [...classes, UNKNOWN] : classes,
    input: [frames, 1, coefficients],
    frames,
    channels: coefficients,
    standardisation: scaling,
    validation: labelled(validating(validation, config), (samples) => samples),
    toInput: (windows) => {
      const values = new Float32Array(windows.length * frames * coefficients);
      for (const [i, window] of windows.entries()) values.set(window, i * frames * coefficients);
      return tf.tensor4d(values, [windows.length, frames, 1, coefficients]);
    },
    draw: (count, drawn, noisy) => {
      const labels = Array.from({ length: count }, (_, i) => Math.min(i % groups, classes.length));
      const clean = labels.map((label) => {
        const windows = pool(label, drawn);
        return windows[drawn.integer(windows.length)]!;
      });
      const { noiseDb } = config.objective;
      return { clean, labels, windows: noisy ? clean.map((window) => withNoise(window, noiseDb, drawn)) : clean };
    },
    test: (change) => {
      const clips = unseen.filter(({ label }) => classes.includes(label));
      const drawn = createRandom(1);
      return labelled(clips, (samples) => (change ? disturb(samples, change, drawn) : samples));
    },
  };
}

/** Mean and deviation of each coefficient over all frames of the training windows. */
function standardisation(windows: readonly Int16Array[], coefficients: number): Standardisation {
  const [sums, squares] = [new Float64Array(coefficients), new Float64Array(coefficients)];
  let count = 0;
  for (const window of windows) {
    count += window.length / coefficients;
    for (const [i, q7] of window.entries()) {
      const value = q7 / CEPSTRA_UNIT;
      sums[i % coefficients]! += value;
      squares[i % coefficients]! += value * value;
    }
  }
  const mean = sums.map((sum) => sum / count);
  // At least one count: a coefficient that never changes says nothing.
  const least = 1 / CEPSTRA_UNIT ** 2;
  return { mean, deviation: squares.map((square, c) => Math.sqrt(Math.max(least, square / count - mean[c]! ** 2))) };
}
