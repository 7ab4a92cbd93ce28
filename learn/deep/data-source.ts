/** What a training draws from: batches, a validation set, and how windows become the encoder's input. One per kind of sensor. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../random.ts';
import type { InputShape } from './encoder.ts';

/** The class that is learned from what is none of the others; always the last. */
export const UNKNOWN = 'unknown';

/** Without 'unknown'. */
export function knownClasses(classes: readonly string[]): readonly string[] {
  return classes.at(-1) === UNKNOWN ? classes.slice(0, -1) : classes;
}

export interface Batch {
  /** Standardised windows as the encoder sees them, [frames, channels] each. */
  readonly windows: readonly Float32Array[];
  /** The same without the noise that a denoising encoder has to remove. */
  readonly clean: readonly Float32Array[];
  /** Class indices. */
  readonly labels: readonly number[];
}

/** Windows with labels and subjects, by position. */
export interface LabelledSet {
  readonly windows: readonly Float32Array[];
  readonly labels: readonly number[];
  readonly subjects: readonly string[];
}

export interface DataSource {
  /** In the order of labels. */
  readonly classes: readonly string[];
  /** Of the encoder. */
  readonly input: InputShape;
  /** Of one window. */
  readonly frames: number;
  readonly channels: number;
  /** @param noisy with the noise of the denoising objective */
  draw(count: number, random: Random, noisy: boolean): Batch;
  readonly validation: LabelledSet;
  /** [count, ...input] */
  toInput(windows: readonly Float32Array[]): tf.Tensor4D;
}

/** Adds white noise of a drawn signal-to-noise ratio and multiplies all by a drawn gain. @param noiseDb range of the ratio, dB */
export function withNoise(window: Float32Array, noiseDb: readonly [number, number], random: Random): Float32Array {
  const mean = window.reduce((a, b) => a + b, 0) / window.length;
  const power = window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window.length;
  const deviation = Math.sqrt(power / 10 ** (random.between(noiseDb[0], noiseDb[1]) / 10));
  const gain = Math.exp(0.1 * random.normal());
  return window.map((value) => gain * value + deviation * random.normal());
}
