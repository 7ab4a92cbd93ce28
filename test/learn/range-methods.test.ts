/** Ranges drawn from distributions whose best range is known, and calibration's two walks over the samples. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../learn/random.ts';
import { Histogram, HISTOGRAM_BINS } from '../../learn/quantize/histogram.ts';
import { chooseRange } from '../../learn/quantize/range-methods.ts';

function histogramOf(values: number[]): Histogram {
  const data = Float32Array.from(values);
  const histogram = new Histogram({ min: Math.min(...data), max: Math.max(...data) });
  histogram.add(data);
  return histogram;
}

/** Sum of squared errors of int8 over a range, straight from the values. */
function squaredError(values: readonly number[], min: number, max: number): number {
  const step = (Math.max(max, 0) - Math.min(min, 0)) / 255;
  const low = Math.min(min, 0);
  return values.reduce((sum, value) => {
    const clipped = Math.min(Math.max(max, 0), Math.max(low, value));
    return sum + (value - (low + Math.round((clipped - low) / step) * step)) ** 2;
  }, 0);
}

const random = createRandom(5);
const uniform = Array.from({ length: 20_000 }, () => random.between(-1, 1));

describe('Histogram', () => {
  it('counts every value once, the largest in the last bin', () => {
    const histogram = histogramOf([0, 1, 1, 0.5]);
    expect(histogram.total()).toBe(4);
    expect(histogram.counts[HISTOGRAM_BINS - 1]).toBe(2);
    expect(histogram.counts[0]).toBe(1);
  });

  it('takes a constant', () => {
    const histogram = histogramOf([3, 3, 3]);
    expect(histogram.total()).toBe(3);
    expect(chooseRange(histogram, { kind: 'mse' }, 256)).toEqual({ min: 3, max: 3 });
  });
});

describe('chooseRange', () => {
  it('percentile cuts the stated share, half at each end', () => {
    const { min, max } = chooseRange(histogramOf(uniform), { kind: 'percentile', share: 0.9 }, 256);
    expect(min).toBeCloseTo(-0.9, 1);
    expect(max).toBeCloseTo(0.9, 1);
    expect(uniform.filter((value) => value < min || value > max).length / uniform.length).toBeCloseTo(0.1, 2);
  });

  it('percentile 1 keeps everything', () => {
    const histogram = histogramOf(uniform);
    const range = chooseRange(histogram, { kind: 'percentile', share: 1 }, 256);
    expect(range).toEqual({ min: histogram.min, max: histogram.max });
  });

  it.each(['mse', 'entropy'] as const)('%s keeps nearly all of a uniform distribution', (kind) => {
    const { min, max } = chooseRange(histogramOf(uniform), { kind }, 256);
    expect(max - min).toBeGreaterThan(1.85);
  });

  it('mse clips one far outlier, and the error is smaller for it', () => {
    const values = [...uniform, 4];
    const { min, max } = chooseRange(histogramOf(values), { kind: 'mse' }, 16);
    expect(max).toBeLessThan(3);
    const many = [...uniform, 1.3];
    const range = chooseRange(histogramOf(many), { kind: 'mse' }, 256);
    expect(squaredError(many, range.min, range.max)).toBeLessThanOrEqual(squaredError(many, -1, 1.3) * 1.05);
    expect(min).toBeLessThan(-0.8);
  });

  it('entropy clips a long thin tail of a peaked distribution', () => {
    const peaked = Array.from({ length: 50_000 }, () => random.normal() * 0.05);
    const tail = Array.from({ length: 10 }, (_, i) => 1 + i);
    expect(chooseRange(histogramOf([...peaked, ...tail]), { kind: 'entropy' }, 256).max).toBeLessThan(8);
  });
});
