/** Distribution of one activation over the calibration set, in equal bins between its smallest and largest value. */
import { assert } from '../../common/errors.ts';
import type { ActivationRange } from './calibrate.ts';

/** Fine enough that an int8 step (a 255th of the range) is 8 bins wide. */
export const HISTOGRAM_BINS = 2048;

export class Histogram {
  readonly min: number;
  readonly max: number;
  readonly counts = new Float64Array(HISTOGRAM_BINS);

  /** @param range of everything that will be added */
  constructor({ min, max }: ActivationRange) {
    assert(Number.isFinite(min) && Number.isFinite(max) && min <= max, `histogram over ${min}..${max}`);
    this.min = min;
    this.max = max;
  }

  add(values: Float32Array): void {
    const { min, max, counts } = this;
    const perUnit = max > min ? HISTOGRAM_BINS / (max - min) : 0;
    for (const value of values) {
      const bin = Math.min(HISTOGRAM_BINS - 1, Math.max(0, Math.floor((value - min) * perUnit)));
      counts[bin] = counts[bin]! + 1;
    }
  }

  total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Middle of a bin. */
  value(bin: number): number {
    return this.min + ((bin + 0.5) * (this.max - this.min)) / HISTOGRAM_BINS;
  }

  /** Lower edge of a bin; that of bin HISTOGRAM_BINS is max. */
  edge(bin: number): number {
    return this.min + (bin * (this.max - this.min)) / HISTOGRAM_BINS;
  }
}
