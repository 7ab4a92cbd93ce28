/** Windows of a wrist's motion for training: drawn at random offsets, equally many of every class, augmented, standardised. */
import * as tf from '@tensorflow/tfjs-core';
import { UserError, defined } from '../../common/errors.ts';
import { augment } from '../har/augment.ts';
import type { MotionDataset, Recording } from '../har/dataset.ts';
import type { Random } from '../random.ts';
import type { FrontEnd, MotionConfig } from './config.ts';
import { UNKNOWN, withNoise, type Batch, type DataSource, type LabelledSet } from './data-source.ts';
import type { InputShape } from './encoder.ts';
import { splitMotion, validating } from './splits.ts';

/** One unit of a standardised window: 1 g, and for the gyroscope 6 rad/s, which brings both sensors' extremes to about +-2. */
export const MOTION_SCALE = [9.80665, 9.80665, 9.80665, 6, 6, 6] as const;
const GYROSCOPE_UNIT = MOTION_SCALE[3];
const CHANNELS = MOTION_SCALE.length;

/** Raw counts to standardised values. */
export function standardiseMotion(window: ArrayLike<number>, rawScale: readonly number[]): Float32Array {
  return Float32Array.from(window, (value, i) => (value * rawScale[i % CHANNELS]!) / MOTION_SCALE[i % CHANNELS]!);
}

/** Column [frames, 3] of unit vectors and row [frames, 3] of the 2D transformation of one standardised window. */
export function columnAndRow(
  window: Float32Array,
  { omega, omegaScale }: Extract<FrontEnd, { kind: 'image' }>,
): { column: Float32Array; row: Float32Array } {
  const frames = window.length / CHANNELS;
  const [column, row] = [new Float32Array(3 * frames), new Float32Array(3 * frames)];
  for (let i = 0; i < frames; i += 1) {
    const norm = Math.hypot(window[6 * i]!, window[6 * i + 1]!, window[6 * i + 2]!) || 1;
    for (let c = 0; c < 3; c += 1) {
      column[3 * i + c] = window[6 * i + c]! / norm;
      const rate = (window[6 * i + 3 + c]! * GYROSCOPE_UNIT) / omegaScale;
      row[3 * i + c] = omega === 'self' ? column[3 * i + c]! : rate;
    }
  }
  return { column, row };
}

export function motionInput(windows: readonly Float32Array[], frontEnd: FrontEnd): tf.Tensor4D {
  const stack = (parts: readonly Float32Array[], shape: [number, number, number, number]): tf.Tensor4D => {
    const values = new Float32Array(parts.length * (parts[0]?.length ?? 0));
    for (const [i, part] of parts.entries()) values.set(part, i * part.length);
    return tf.tensor4d(values, shape);
  };
  const frames = (windows[0]?.length ?? 0) / CHANNELS;
  if (frontEnd.kind !== 'image') return stack(windows, [windows.length, frames, 1, CHANNELS]);
  const pairs = windows.map((window) => columnAndRow(window, frontEnd));
  return tf.tidy(() =>
    tf.mul(
      stack(
        pairs.map(({ column }) => column),
        [windows.length, frames, 1, 3],
      ),
      stack(
        pairs.map(({ row }) => row),
        [windows.length, 1, frames, 3],
      ),
    ),
  );
}

/** Windows that do not overlap, of the recordings whose label is in `classes`. */
export function motionSet(
  recordings: readonly Recording[],
  classes: readonly string[],
  windowFrames: number,
  rawScale: readonly number[],
): LabelledSet {
  const windows: Float32Array[] = [];
  const [labels, subjects] = [[] as number[], [] as string[]];
  for (const { label, samples, frames, subject } of recordings) {
    const index = classes.indexOf(label);
    if (index < 0) continue;
    for (let start = 0; start + windowFrames <= frames; start += windowFrames) {
      const raw = samples.subarray(start * CHANNELS, (start + windowFrames) * CHANNELS);
      windows.push(standardiseMotion(raw, rawScale));
      labels.push(index);
      subjects.push(String(subject));
    }
  }
  return { windows, labels, subjects };
}

export function motionSource(data: MotionDataset, config: MotionConfig): DataSource {
  const { classes, unknown, windowFrames } = config.data;
  if (data.channels.length !== CHANNELS)
    throw new UserError(
      `${config.data.folder}: has ${data.channels.length} channels, motion is learned from accelerometer and gyroscope, ${CHANNELS}; use another`,
    );
  const { train, validation } = splitMotion(data, config);
  const groups = [...classes.map((label) => [label]), ...(unknown.length > 0 ? [unknown] : [])];
  const byClass = groups.map((labels) =>
    train.filter(({ label, frames }) => labels.includes(label) && frames >= windowFrames),
  );
  const missing = groups.filter((_, i) => byClass[i]!.length === 0).flat();
  if (missing.length > 0)
    throw new UserError(
      `${config.data.folder}: no recordings of ${missing.join(', ')} to train on; correct the classes`,
    );
  const names = [...classes, ...(unknown.length > 0 ? [UNKNOWN] : [])];
  const input: InputShape =
    config.frontEnd.kind === 'image' ? [windowFrames, windowFrames, 3] : [windowFrames, 1, CHANNELS];
  const relabelled = validating(validation, config).map((one) =>
    unknown.includes(one.label) ? { ...one, label: UNKNOWN } : one,
  );
  return {
    classes: names,
    input,
    frames: windowFrames,
    channels: CHANNELS,
    validation: motionSet(relabelled, names, windowFrames, data.scale),
    toInput: (windows) => motionInput(windows, config.frontEnd),
    draw: (count, random, noisy) => drawMotion(byClass, data.scale, config, count, random, noisy),
  };
}

function drawMotion(
  byClass: readonly (readonly Recording[])[],
  rawScale: readonly number[],
  { data, augmentation, objective }: MotionConfig,
  count: number,
  random: Random,
  noisy: boolean,
): Batch {
  const labels = Array.from({ length: count }, (_, i) => i % byClass.length);
  const clean = labels.map((label) => {
    const recordings = byClass[label]!;
    const { samples, frames } = defined(recordings[random.integer(recordings.length)], 'a recording');
    const start = random.integer(frames - data.windowFrames + 1) * CHANNELS;
    const window = samples.subarray(start, start + data.windowFrames * CHANNELS);
    const physical = Float32Array.from(window, (value, i) => value * rawScale[i % CHANNELS]!);
    return augment(physical, augmentation, random).map((value, i) => value / MOTION_SCALE[i % CHANNELS]!);
  });
  const windows = noisy ? clean.map((window) => withNoise(window, objective.noiseDb, random)) : clean;
  return { windows, clean, labels };
}
