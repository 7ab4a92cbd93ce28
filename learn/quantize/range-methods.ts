/**
 * How a calibrated distribution becomes the range that the integers cover. Clipping rare large values makes the step for all others
 * smaller: percentile (clip a share), MSE (least squared error) and entropy (least Kullback-Leibler divergence; S. Migacz, "8-bit
 * inference with TensorRT", GTC 2017, extended here to asymmetric ranges).
 */
import type { ActivationRange } from './calibrate.ts';
import { HISTOGRAM_BINS, type Histogram } from './histogram.ts';

export type RangeMethod =
  | { readonly kind: 'min-max' }
  /** Exponential moving average of every sample's own range. */
  | { readonly kind: 'moving-average'; readonly momentum: number }
  /** Keeps this share of the values, 0..1; the rest is cut evenly from both ends. */
  | { readonly kind: 'percentile'; readonly share: number }
  | { readonly kind: 'mse' | 'entropy' };

/** Methods that need the whole distribution, not only its ends. */
export type DistributionMethod = Extract<RangeMethod, { kind: 'percentile' | 'mse' | 'entropy' }>;

export const needsDistribution = (method: RangeMethod): method is DistributionMethod =>
  method.kind === 'percentile' || method.kind === 'mse' || method.kind === 'entropy';

/** Candidate ends are tried in steps of this many bins. */
const STEP_BINS = 32;
/** The range never shrinks below this part of the full one: a step too small for the values it must hold helps nobody. */
const SHRINK_MIN = 0.2;
const EPSILON = 1e-9;

/** @param levels integers available, 256 for int8 */
export function chooseRange(histogram: Histogram, method: DistributionMethod, levels: number): ActivationRange {
  if (method.kind === 'percentile') return percentileRange(histogram, method.share);
  const cost = method.kind === 'mse' ? squaredError : divergence;
  return searchRange(histogram, (low, high) => cost(histogram, low, high, levels));
}

function percentileRange(histogram: Histogram, share: number): ActivationRange {
  const cut = (histogram.total() * (1 - share)) / 2;
  const { counts } = histogram;
  let low = 0;
  for (let sum = counts[0]!; low < HISTOGRAM_BINS - 1 && sum <= cut; sum += counts[++low]!);
  let high = HISTOGRAM_BINS - 1;
  for (let sum = counts[high]!; high > low && sum <= cut; sum += counts[--high]!);
  return { min: histogram.edge(low), max: histogram.edge(high + 1) };
}

/** Coordinate descent over the two ends, in bins: first the upper, then the lower, until neither moves. */
function searchRange(histogram: Histogram, cost: (low: number, high: number) => number): ActivationRange {
  let low = 0;
  let high = HISTOGRAM_BINS;
  let best = cost(low, high);
  const widthMin = HISTOGRAM_BINS * SHRINK_MIN;
  for (let moved = true; moved;) {
    moved = false;
    for (let end = HISTOGRAM_BINS; end - low >= widthMin; end -= STEP_BINS) {
      const value = cost(low, end);
      if (value < best * (1 - EPSILON)) [best, high, moved] = [value, end, true];
    }
    for (let start = 0; high - start >= widthMin; start += STEP_BINS) {
      const value = cost(start, high);
      if (value < best * (1 - EPSILON)) [best, low, moved] = [value, start, true];
    }
  }
  return { min: histogram.edge(low), max: histogram.edge(high) };
}

/** Sum of squared differences between values and what the integers of bins low..high give back. The range always holds 0. */
function squaredError(histogram: Histogram, low: number, high: number, levels: number): number {
  const min = Math.min(0, histogram.edge(low));
  const max = Math.max(0, histogram.edge(high));
  const step = (max - min) / (levels - 1) || 1;
  let sum = 0;
  for (const [bin, count] of histogram.counts.entries()) {
    if (count === 0) continue;
    const value = histogram.value(bin);
    const clipped = Math.min(max, Math.max(min, value));
    const error = value - (min + Math.round((clipped - min) / step) * step);
    sum += count * error * error;
  }
  return sum;
}

/** KL divergence between the clipped distribution and the one that `levels` steps can tell apart. */
function divergence(histogram: Histogram, low: number, high: number, levels: number): number {
  const { counts } = histogram;
  const reference = counts.slice(low, high);
  for (let bin = 0; bin < low; bin++) reference[0] = reference[0]! + counts[bin]!;
  for (let bin = high; bin < HISTOGRAM_BINS; bin++) reference[reference.length - 1]! += counts[bin]!;
  const total = histogram.total();
  let sum = 0;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * reference.length) / levels);
    const to = Math.floor(((level + 1) * reference.length) / levels);
    let mass = 0;
    let occupied = 0;
    // The clipped mass belongs to the reference only: a quantizer that clips much is far from it.
    for (let i = from; i < to; i++) {
      mass += counts[low + i]!;
      occupied += reference[i]! > 0 ? 1 : 0;
    }
    const share = occupied === 0 ? 0 : mass / occupied / total;
    for (let i = from; i < to; i++) {
      const p = reference[i]! / total;
      if (p > 0) sum += p * Math.log(p / Math.max(share, EPSILON));
    }
  }
  return sum;
}
