/**
 * Parameters of the Kalman filter over features, from features of training windows in their order of time: class Gaussians with one covariance,
 * and per whitened value how much the state drifts from window to window and how much a window's measurement strays from it.
 */
import { assert } from '../../common/errors.ts';
import { quantizeMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import type { LatentFilter } from '../../firmware-gen/ir/system.ts';
import { kalmanStart, kalmanStep } from '../../firmware-gen/reference/decision/kalman.ts';
import { fitMahalanobis, fitTemperature } from '../ood/detectors.ts';

/** Features of successive windows of one class without a gap. */
export interface FeatureRun {
  readonly label: number;
  readonly features: readonly Int8Array[];
}

export interface KalmanFit {
  readonly classes: number;
  /** -(zero point of the features). */
  readonly offset: number;
  /** Probability that the class changes from one window to the next: the state must be able to follow. */
  readonly switching: number;
  /** Windows after which two share no frame. */
  readonly independentAfter: number;
}

/** Least whitened steps per standard deviation. */
const STEPS = 64;
/** Unit of drift and noise: so many per squared standard deviation. Between 1/1024 and 64 squared deviations fit 16 bits. */
const VARIANCE_UNIT = 1024;

export function fitKalman(
  runs: readonly FeatureRun[],
  validation: readonly FeatureRun[],
  fit: KalmanFit,
): LatentFilter {
  const { classes, offset } = fit;
  const vector = (phi: Int8Array): Float32Array => Float32Array.from(phi, (value) => value + offset);
  const train = runs.flatMap(({ features }) => features.map((phi) => ({ phi: vector(phi) })));
  const trainLabels = runs.flatMap(({ label, features }) => features.map(() => label));
  const { means, whitening } = fitMahalanobis({ train, trainLabels, classes });
  const size = means[0]!.length;
  const times = (values: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: size }, (_, i) => {
      let sum = 0;
      for (let j = 0; j <= i; j += 1) sum += whitening[i * size + j]! * values[j]!;
      return sum;
    });
  const centres = means.map(times);
  const whitened = runs.map(({ features }) => features.map((phi) => times(vector(phi))));
  const { drift, noise } = variances(whitened, centres, fit);
  const triangle = Array.from({ length: size }, (_, i) =>
    Array.from({ length: i + 1 }, (__, j) => whitening[i * size + j]!),
  ).flat();
  const factor = 32767 / Math.max(...triangle.map(Math.abs));
  const shift = Math.min(16, Math.max(0, Math.floor(Math.log2(factor / STEPS))));
  const step = factor / 2 ** shift;
  const uint16 = (values: Float64Array): Uint16Array =>
    Uint16Array.from(values, (value) => Math.min(65535, Math.max(1, Math.round(value * VARIANCE_UNIT))));
  const params = {
    ...{ size, classes, offset, shift },
    whitening: Int16Array.from(triangle, (value) => Math.round(value * factor)),
    centres: Int32Array.from(
      centres.flatMap((centre) => [...centre]),
      (value) => Math.round(value * step),
    ),
    drift: uint16(drift),
    noise: uint16(noise),
  };
  // Distances count half, in bits of 2^-10, over the temperature at which validation windows' classes are most likely.
  const perBit = (Math.LOG2E * 1024) / (2 * step * step);
  const temperature = fitTemperature(...validationScores(params, validation, 1 / (2 * step * step)));
  const scale = quantizeMultiplier(perBit / temperature);
  assert(scale.shift <= 0, 'less than a bit per squared step');
  return { params, scale };
}

/** By whitened value: a random walk's squared differences grow with distance in time, a measurement's own noise does not. */
function variances(
  runs: readonly (readonly Float64Array[])[],
  centres: readonly Float64Array[],
  { switching, independentAfter }: KalmanFit,
): { drift: Float64Array; noise: Float64Array } {
  const size = centres[0]!.length;
  const squared = (lag: number, d: number): number => {
    let [sum, count] = [0, 0];
    for (const run of runs)
      for (let t = lag; t < run.length; t += 1, count += 1) sum += (run[t]![d]! - run[t - lag]![d]!) ** 2;
    assert(count > 0, `runs of more than ${lag} windows`);
    return sum / count;
  };
  const [drift, noise] = [new Float64Array(size), new Float64Array(size)];
  for (let d = 0; d < size; d += 1) {
    const [near, far] = [squared(independentAfter, d), squared(2 * independentAfter, d)];
    const within = Math.max(0, (far - near) / independentAfter);
    const mean = centres.reduce((sum, centre) => sum + centre[d]!, 0) / centres.length;
    const between = centres.reduce((sum, centre) => sum + (centre[d]! - mean) ** 2, 0) / centres.length;
    noise[d] = Math.max(0.05, (near - independentAfter * within) / 2);
    // A switch moves the state by the difference of two centres, of variance 2 * between.
    drift[d] = within + 2 * switching * between;
  }
  return { drift, noise };
}

function validationScores(
  params: LatentFilter['params'],
  runs: readonly FeatureRun[],
  unit: number,
): Parameters<typeof fitTemperature> {
  const logits: { logits: Float32Array[] }[] = [];
  const labels: number[] = [];
  for (const { label, features } of runs) {
    const state = kalmanStart(params);
    for (const phi of features) {
      logits.push({ logits: [Float32Array.from(kalmanStep(params, state, phi)!, (score) => score * unit)] });
      labels.push(label);
    }
  }
  return [logits, labels];
}
