/**
 * Spoken words for training: cepstral coefficients by the fixed-point front end that devices run, of clips shifted in time, louder or softer, with
 * noise mixed in. Variants of every clip are made once; a training draws among them, equally many of every class.
 */
import * as tf from '@tensorflow/tfjs-core';
import { UserError, defined } from '../../common/errors.ts';
import { clipCepstra } from '../../firmware-gen/reference/signal/cepstra.ts';
import type { Clip, ClipSet } from '../data/clips.ts';
import { createRandom, type Random } from '../random.ts';
import type { AudioConfig } from './config.ts';
import { withNoise, type DataSource, type LabelledSet } from './data-source.ts';
import { CEPSTRA_UNIT, soundSensor, type Standardisation } from './sensors.ts';
import { splitClips } from './splits.ts';

/** What a clip may undergo. */
export interface Disturbance {
  /** Largest shift either way, samples. */
  readonly shift: number;
  /** Range of the gain, dB. */
  readonly gainDb: readonly [number, number];
  /** Noise to mix in, and the range of the signal-to-noise ratio, dB; null: none. */
  readonly noise: { readonly recordings: readonly Int16Array[]; readonly ratioDb: readonly [number, number] } | null;
}

export function disturb(samples: Int16Array, { shift, gainDb, noise }: Disturbance, random: Random): Int16Array {
  const by = Math.round(random.between(-shift, shift));
  const gain = 10 ** (random.between(...gainDb) / 20);
  const recording = noise && defined(noise.recordings[random.integer(noise.recordings.length)], 'noise');
  const from = recording ? random.integer(Math.max(1, recording.length - samples.length)) : 0;
  const power = (values: Int16Array): number => values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const factor =
    noise && recording
      ? Math.sqrt(
          power(samples) /
            Math.max(1, power(recording.subarray(from, from + samples.length))) /
            10 ** (random.between(...noise.ratioDb) / 10),
        )
      : 0;
  return Int16Array.from(samples, (_, i) => {
    const mixed = (samples[i - by] ?? 0) + factor * (recording?.[from + i] ?? 0);
    return Math.max(-32768, Math.min(32767, Math.round(gain * mixed)));
  });
}

export interface AudioSource extends DataSource {
  readonly standardisation: Standardisation;
  /** Clips of speakers outside the split "train", as standardised windows. @param disturbance null: as recorded */
  test(disturbance: Disturbance | null): LabelledSet;
}

const SHIFT_SECONDS = 0.1;
const GAIN_DB = [-6, 6] as const;
const NOISE_DB = [5, 25] as const;

/** @param noise recordings to train with. @throws UserError when a class has no clips */
export function audioSource(set: ClipSet, config: AudioConfig, noise: readonly Int16Array[] | null): AudioSource {
  const { classes, variants } = config.data;
  const { train, validation, unseen } = splitClips(set, config);
  const missing = classes.filter((label) => !train.some((clip) => clip.label === label));
  if (missing.length > 0)
    throw new UserError(`${config.data.folder}: no clips of ${missing.join(', ')} to train on; correct the classes`);
  const params = { ...config.frontEnd, sampleRateHz: set.sampleRateHz };
  const transform = clipCepstra(params);
  const { coefficients } = config.frontEnd;
  const random = createRandom(config.schedule.seed);
  const disturbance: Disturbance = {
    ...{ shift: SHIFT_SECONDS * set.sampleRateHz, gainDb: GAIN_DB },
    noise: noise && { recordings: noise, ratioDb: NOISE_DB },
  };
  // The first variant is the clip itself.
  const raw = train.map(({ samples }) =>
    Array.from({ length: variants }, (_, v) => transform(v === 0 ? samples : disturb(samples, disturbance, random))),
  );
  const scaling = standardisation(raw.flat(), coefficients);
  const sensor = soundSensor(params, scaling);
  const standardise = (window: Int16Array): Float32Array => sensor.floats(window)[0]!;
  const pool = classes.map((label) =>
    train.flatMap((clip, i) => (clip.label === label ? raw[i]!.map(standardise) : [])),
  );
  const labelled = (clips: readonly Clip[], change: (samples: Int16Array) => Int16Array): LabelledSet => ({
    windows: clips.map(({ samples }) => standardise(transform(change(samples)))),
    labels: clips.map(({ label }) => classes.indexOf(label)),
    subjects: clips.map(({ speaker }) => speaker),
  });
  const frames = pool[0]![0]!.length / coefficients;
  return {
    classes,
    input: [frames, 1, coefficients],
    frames,
    channels: coefficients,
    standardisation: scaling,
    validation: labelled(validation, (samples) => samples),
    toInput: (windows) => {
      const values = new Float32Array(windows.length * frames * coefficients);
      for (const [i, window] of windows.entries()) values.set(window, i * frames * coefficients);
      return tf.tensor4d(values, [windows.length, frames, 1, coefficients]);
    },
    draw: (count, drawn, noisy) => {
      const labels = Array.from({ length: count }, (_, i) => i % classes.length);
      const clean = labels.map((label) => pool[label]![drawn.integer(pool[label]!.length)]!);
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
