/**
 * What a window looks like without any network: means, log variances and log variances of the differences of its channels. A detector on them is a
 * shadow of the classifier in another domain; they are what running sums on a device give (tl_running_push_s16).
 */
import { assert } from '../../common/errors.ts';
import { choleskyFactor, whitenedSquare } from './linear-algebra.ts';

/** Below any sensor's noise, in squared standardised units: a dead still channel stays finite. */
const VARIANCE_FLOOR = 1e-5;

/** Per channel of a standardised window [frames, channels]: the mean; log variance; log mean squared difference of neighbours. */
export function windowStatistics(window: ArrayLike<number>, channels: number): Float64Array {
  const frames = window.length / channels;
  const statistics = new Float64Array(3 * channels);
  for (let c = 0; c < channels; c += 1) {
    let [sum, squares, changes] = [0, 0, 0];
    for (let i = 0; i < frames; i += 1) {
      const value = window[i * channels + c]!;
      sum += value;
      squares += value * value;
      if (i > 0) changes += (value - window[(i - 1) * channels + c]!) ** 2;
    }
    const mean = sum / frames;
    statistics[c] = mean;
    statistics[channels + c] = Math.log(Math.max(0, squares / frames - mean * mean) + VARIANCE_FLOOR);
    statistics[2 * channels + c] = Math.log(changes / (frames - 1) + VARIANCE_FLOOR);
  }
  return statistics;
}

/** Added to each covariance's diagonal, as a share of its mean. */
const SHRINKAGE = 1e-2;

/**
 * Log density, up to a constant, of the most likely of the classes' Gaussians, each with a covariance of its own.
 * @param vectors of the training windows @param labels their classes, 0 to classes - 1; others are left out
 */
export function classGaussians(
  vectors: readonly ArrayLike<number>[],
  labels: readonly number[],
  classes: number,
): (vector: ArrayLike<number>) => number {
  const models = Array.from({ length: classes }, (_, c) => gaussian(vectors.filter((_, i) => labels[i] === c)));
  return (vector) =>
    Math.max(
      ...models.map(({ mean, whitening, logScale }) => {
        const difference = Float64Array.from(mean, (value, d) => vector[d]! - value);
        return logScale - whitenedSquare(whitening, difference) / 2;
      }),
    );
}

interface Gaussian {
  readonly mean: Float64Array;
  readonly whitening: Float64Array;
  /** Logarithm of the whitening's determinant. */
  readonly logScale: number;
}

function gaussian(members: readonly ArrayLike<number>[]): Gaussian {
  assert(members.length > 1, 'training windows of every class');
  const size = members[0]!.length;
  const mean = Float64Array.from(
    { length: size },
    (_, d) => members.reduce((sum, v) => sum + v[d]!, 0) / members.length,
  );
  const covariance = new Float64Array(size * size);
  for (const vector of members)
    for (let a = 0; a < size; a += 1)
      for (let b = 0; b <= a; b += 1)
        covariance[a * size + b]! += ((vector[a]! - mean[a]!) * (vector[b]! - mean[b]!)) / members.length;
  let trace = 0;
  for (let a = 0; a < size; a += 1) trace += covariance[a * size + a]!;
  for (let a = 0; a < size; a += 1) covariance[a * size + a]! += (SHRINKAGE * trace) / size + Number.EPSILON;
  const whitening = choleskyFactor(covariance, size);
  let logScale = 0;
  for (let a = 0; a < size; a += 1) logScale += Math.log(whitening[a * size + a]!);
  return { mean, whitening, logScale };
}
