/**
 * OOD detectors as functions of what a network makes of a window. Each is fitted on in-distribution data alone; higher scores are more familiar.
 * Hendrycks and Gimpel 1610.02136 (MSP), Guo et al. 1706.04599 (temperature), Liu et al. 2010.03759 (energy), Lee et al. 1807.03888
 * (Mahalanobis), Hsu et al. 2002.11297 (DeConf), Lakshminarayanan et al. 1612.01474 (ensemble).
 */
import { assert, defined } from '../../common/errors.ts';
import { softmaxOf } from '../evaluate/metrics.ts';
import type { Outputs } from '../deep/network.ts';
import { choleskyFactor, whitenedSquare } from './linear-algebra.ts';
import { classGaussians } from './window-statistics.ts';

export const DETECTORS = [
  ...(['deconf', 'deconf-gate', 'msp', 'calibrated-msp', 'energy', 'mahalanobis', 'reconstruction'] as const),
  ...(['statistics', 'statistics-deconf'] as const),
  ...(['ensemble', 'unknown-class'] as const),
] as const;
export type DetectorName = (typeof DETECTORS)[number];

export interface FitData {
  /** Of the training windows, for class statistics. */
  readonly train: readonly Outputs[];
  readonly trainLabels: readonly number[];
  /** Of the in-distribution validation windows, for temperatures and thresholds. */
  readonly validation: readonly Outputs[];
  readonly validationLabels: readonly number[];
  /** Known classes; one more is 'unknown' if the network has it. */
  readonly classes: number;
}

export type Score = (outputs: Outputs) => number;

/** Null where the network lacks what the detector needs. */
export function fitDetector(name: DetectorName, data: FitData): Score | null {
  const [first] = data.validation;
  assert(first, 'validation data to fit on');
  switch (name) {
    case 'deconf':
      return first.gate === null ? null : ({ h }) => Math.max(...h[0]!);
    case 'deconf-gate':
      return first.gate === null ? null : ({ gate }) => defined(gate, 'gate');
    case 'msp':
      return ({ logits }) => Math.max(...softmaxOf(logits[0]!));
    case 'calibrated-msp': {
      const temperature = fitTemperature(data.validation, data.validationLabels);
      return ({ logits }) => Math.max(...softmaxOf(logits[0]!.map((value) => value / temperature)));
    }
    case 'energy':
      return ({ logits }) => logSumExp(logits[0]!);
    case 'mahalanobis':
      return fitMahalanobis(data).score;
    case 'statistics':
      return fitStatistics(data);
    case 'statistics-deconf': {
      const [statistics, deconf] = [fitStatistics(data), fitDetector('deconf', data)];
      return statistics === null || deconf === null ? null : fisher([statistics, deconf], data.validation);
    }
    case 'reconstruction':
      return first.reconstructionError === null ? null : (outputs) => -defined(outputs.reconstructionError, 'error');
    case 'ensemble':
      return first.logits.length < 2 ? null : ({ logits }) => Math.max(...meanSoftmax(logits));
    case 'unknown-class':
      return first.logits[0]!.length === data.classes ? null : ({ logits }) => 1 - softmaxOf(logits[0]!)[data.classes]!;
  }
}

/** Class Gaussians on statistics of the window: what the network was never asked about. */
function fitStatistics({ train, trainLabels, validation, classes }: FitData): Score | null {
  if (validation[0]?.statistics === null) return null;
  const density = classGaussians(
    train.map((one) => defined(one.statistics, 'statistics')),
    trainLabels,
    classes,
  );
  return ({ statistics }) => density(defined(statistics, 'statistics'));
}

/** Fisher's combination of scores of one window: the sum of log p, p a score's rank among those of known validation windows. */
function fisher(scores: readonly Score[], validation: readonly Outputs[]): Score {
  const ranks = scores.map((score) => logRank(validation.map((one) => score(one))));
  return (one) => scores.reduce((sum, score, i) => sum + ranks[i]!(score(one)), 0);
}

/** log p of a score, p its rank among `known` as a share, above 0 and at most 1. */
export function logRank(known: readonly number[]): (score: number) => number {
  const sorted = Float64Array.from(known).sort();
  return (score) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < score) low = middle + 1;
      else high = middle;
    }
    return Math.log((low + 0.5) / (sorted.length + 1));
  };
}

export function logSumExp(values: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(values));
  return largest + Math.log(Array.from(values).reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

function meanSoftmax(members: readonly Float32Array[]): number[] {
  const rows = members.map((logits) => softmaxOf(logits));
  return Array.from(rows[0]!, (_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length);
}

/** The temperature with the least negative log-likelihood, by golden-section search over its logarithm. */
export function fitTemperature(outputs: readonly Pick<Outputs, 'logits'>[], labels: readonly number[]): number {
  const loss = (logT: number): number =>
    outputs.reduce((sum, { logits }, i) => {
      const scaled = logits[0]!.map((value) => value / Math.exp(logT));
      return sum + logSumExp(scaled) - scaled[labels[i]!]!;
    }, 0);
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.05), Math.log(50)];
  while (high - low > 1e-4) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

export interface Mahalanobis {
  readonly means: readonly Float64Array[];
  /** Lower triangular L^-1 of the shared covariance L L^T, row-major: distances are sums of squares of L^-1 (phi - mean). */
  readonly whitening: Float64Array;
  readonly score: Score;
}

/** Added to the covariance's diagonal, as a share of its mean: features that hardly vary would count without bound. */
const SHRINKAGE = 1e-3;

export function fitMahalanobis({
  train,
  trainLabels,
  classes,
}: {
  readonly train: readonly Pick<Outputs, 'phi'>[];
  readonly trainLabels: readonly number[];
  readonly classes: number;
}): Mahalanobis {
  const size = train[0]!.phi.length;
  const means = Array.from({ length: classes }, (_, c) => {
    const members = train.filter((_, i) => trainLabels[i] === c);
    assert(members.length > 0, `training windows of class ${c}`);
    return Float64Array.from(
      { length: size },
      (_, d) => members.reduce((sum, { phi }) => sum + phi[d]!, 0) / members.length,
    );
  });
  const covariance = new Float64Array(size * size);
  let count = 0;
  for (const [i, { phi }] of train.entries()) {
    const mean = means[trainLabels[i]!];
    // The class 'unknown' has no place in the familiar.
    if (!mean) continue;
    count += 1;
    for (let a = 0; a < size; a += 1)
      for (let b = 0; b <= a; b += 1) covariance[a * size + b]! += (phi[a]! - mean[a]!) * (phi[b]! - mean[b]!);
  }
  let trace = 0;
  for (let a = 0; a < size; a += 1) trace += covariance[a * size + a]! / count;
  for (let a = 0; a < size; a += 1) {
    for (let b = 0; b <= a; b += 1) covariance[a * size + b]! /= count;
    covariance[a * size + a]! += (SHRINKAGE * trace) / size + Number.EPSILON;
  }
  const whitening = choleskyFactor(covariance, size);
  const score: Score = ({ phi }) =>
    -Math.min(
      ...means.map((mean) =>
        whitenedSquare(
          whitening,
          phi.map((value, d) => value - mean[d]!),
        ),
      ),
    );
  return { means, whitening, score };
}
