/** OOD metrics and detectors against small cases worked out by hand or by brute force. */
import { describe, expect, it } from 'vitest';
import type { Outputs } from '../../learn/deep/network.ts';
import { fitLogistic } from '../../learn/ood/logistic.ts';
import { fitDetector, fitMahalanobis, fitTemperature, logSumExp } from '../../learn/ood/detectors.ts';
import { choleskyFactor, whitenedSquare } from '../../learn/ood/linear-algebra.ts';
import { aupr, auroc, oodFigures, thresholdAt, tnrAtTpr95 } from '../../learn/ood/metrics.ts';
import { classGaussians, windowStatistics } from '../../learn/ood/window-statistics.ts';
import { createRandom } from '../../learn/random.ts';

const random = createRandom(3);
const normals = (count: number, mean: number): number[] => Array.from({ length: count }, () => mean + random.normal());

const outputs = (phi: number[], logits: number[], gate: number | null = null): Outputs => ({
  phi: Float32Array.from(phi),
  h: [Float32Array.from(logits)],
  logits: [Float32Array.from(logits)],
  gate,
  statistics: null,
  reconstructionError: null,
});

describe('OOD metrics', () => {
  const [known, unknown] = [normals(200, 1), normals(300, 0)];

  it('should give the AUROC of all pairs, ties half', () => {
    const rounded = [known, unknown].map((scores) => scores.map((score) => Math.round(2 * score)));
    const [a, b] = rounded as [number[], number[]];
    const wins = a.flatMap((x) => b.map((y): number => (x > y ? 1 : x === y ? 0.5 : 0)));
    expect(auroc(a, b)).toBeCloseTo(wins.reduce((sum, win) => sum + win, 0) / wins.length, 12);
  });

  it('should reject at the threshold that keeps 95 % of the known', () => {
    const threshold = thresholdAt(known, 0.95);
    expect(known.filter((score) => score >= threshold).length).toBe(190);
    expect(tnrAtTpr95(known, unknown)).toBe(unknown.filter((score) => score < threshold).length / 300);
    expect(tnrAtTpr95([1, 1, 1], [1, 1])).toBe(0);
  });

  it('should give the average precision', () => {
    // Ranked: known, unknown, known: precision 1 at recall 1/2, 2/3 at recall 1.
    expect(aupr([3, 1], [2])).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 12);
    expect(aupr([5, 5], [5, 5])).toBeCloseTo(0.5, 12);
  });

  it('should enclose the figures in intervals that widen with few subjects', () => {
    const set = (scores: number[], subjects: number) => ({ scores, subjects: scores.map((_, i) => `${i % subjects}`) });
    const many = oodFigures(set(known, 20), set(unknown, 20), 0);
    expect(many.aurocInterval.low).toBeLessThan(many.auroc);
    expect(many.aurocInterval.high).toBeGreaterThan(many.auroc);
    expect(many.tnrInterval.low).toBeLessThanOrEqual(many.tnrAtTpr95);
    expect(many.knownAccepted).toBe(known.filter((score) => score >= 0).length / 200);
    // One subject: every draw is the whole set, so weighted and plain figures must agree.
    const one = oodFigures(set(known, 1), set(unknown, 1), 0);
    expect(one.aurocInterval.low).toBeCloseTo(one.auroc, 12);
    expect(one.tnrInterval.high).toBeCloseTo(one.tnrAtTpr95, 12);
  });
});

describe('OOD detectors', () => {
  const labels = Array.from({ length: 400 }, (_, i) => i % 2);
  const train = labels.map((label) => outputs([3 * label + random.normal(), 10 * random.normal()], [label, -label]));
  const data = { train, trainLabels: labels, validation: train, validationLabels: labels, classes: 2 };

  it('should measure distances in standard deviations of the classes', () => {
    const { score } = fitMahalanobis(data);
    // The second feature varies ten times as much: ten steps there are about one here.
    expect(Math.abs(score(outputs([0, 10], [])))).toBeLessThan(2);
    expect(score(outputs([-10, 0], []))).toBeLessThan(-50);
  });

  it('should give every class a spread of its own', () => {
    const vectors = labels.map((label) => [label === 0 ? 0.1 * random.normal() : 10 + 3 * random.normal()]);
    const density = classGaussians(vectors, labels, 2);
    // Two steps from the narrow class is strange, from the wide one it is not.
    expect(density([2])).toBeLessThan(density([8]) - 2);
    expect(density([0])).toBeGreaterThan(density([10]));
  });

  it('should take statistics of each channel', () => {
    // Channel 0 alternates about 1, channel 1 rests at 5.
    const window = Array.from({ length: 40 }, (_, i) => (i % 2 === 1 ? 5 : i % 4 === 0 ? 3 : -1));
    const [mean0, mean1, variance0, variance1, change0, change1] = windowStatistics(window, 2);
    expect([mean0, mean1]).toEqual([1, 5]);
    expect(Math.exp(variance0!)).toBeCloseTo(4, 3);
    expect(Math.exp(change0!)).toBeCloseTo(16, 3);
    expect(variance1).toBe(change1);
    expect(Math.exp(variance1!)).toBeCloseTo(0, 4);
  });

  it('should combine two detectors by their ranks among the known', () => {
    const known = train.map((one, i) => ({ ...one, gate: 0, statistics: Float64Array.from([train[i]!.phi[0]!]) }));
    const score = fitDetector('statistics-deconf', { ...data, train: known, validation: known })!;
    // Of the class whose numerators are the larger ones.
    const usual = known[1]!;
    const strange = { ...usual, statistics: Float64Array.from([50]) };
    const alsoUnsure = { ...strange, h: [Float32Array.from([-9, -9])] };
    expect(score(strange)).toBeLessThan(score(usual));
    expect(score(alsoUnsure)).toBeLessThan(score(strange));
  });

  it('should factor a covariance', () => {
    const whitening = choleskyFactor(Float64Array.from([4, 0, 2, 5]), 2);
    // [1, 1] [[4, 2], [2, 5]]^-1 [1, 1] = (5 - 4 + 4) / 16
    expect(whitenedSquare(whitening, [1, 1])).toBeCloseTo(5 / 16, 12);
  });

  it('should find the temperature that logits were scaled by', () => {
    const draws = Array.from({ length: 4000 }, () => {
      const logits = [2 * random.normal(), 0];
      const label = random.uniform() < 1 / (1 + Math.exp(-logits[0]!)) ? 0 : 1;
      return {
        sharp: outputs(
          [],
          logits.map((value) => 3 * value),
        ),
        label,
      };
    });
    const temperature = fitTemperature(
      draws.map(({ sharp }) => sharp),
      draws.map(({ label }) => label),
    );
    expect(temperature).toBeGreaterThan(2.6);
    expect(temperature).toBeLessThan(3.4);
  });

  it('should score by softmax, energy, numerator and gate', () => {
    const one = outputs([0, 0], [2, 1], 0.25);
    const withGate = { ...data, validation: [one] };
    expect(fitDetector('msp', data)!(one)).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(fitDetector('energy', data)!(one)).toBeCloseTo(Math.log(Math.exp(2) + Math.exp(1)), 6);
    expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 6);
    expect(fitDetector('deconf', withGate)!(one)).toBe(2);
    expect(fitDetector('deconf-gate', withGate)!(one)).toBe(0.25);
    expect(fitDetector('deconf', data)).toBeNull();
    expect(fitDetector('ensemble', data)).toBeNull();
    expect(fitDetector('statistics', data)).toBeNull();
    expect(fitDetector('unknown-class', data)).toBeNull();
    const three = { ...data, validation: [outputs([0, 0], [1, 1, 1])] };
    expect(fitDetector('unknown-class', three)!(three.validation[0]!)).toBeCloseTo(2 / 3, 6);
  });
});

describe('logistic regression', () => {
  it('should find log odds of one Gaussian feature, whatever the other kind has in numbers', () => {
    // N(+-1, 1): log odds 2 x where both kinds count alike. Quantiles of the normal distribution by its own symmetry: pairs of opposite values.
    const spread = [-1.6, -1.1, -0.7, -0.3, 0, 0.3, 0.7, 1.1, 1.6];
    const odds = fitLogistic(
      spread.map((value) => [value + 1, 5]),
      [...spread, ...spread].map((value) => [value - 1, 5]),
    );
    expect(odds([0, 5])).toBeCloseTo(0, 2);
    expect(odds([1, 5])).toBeGreaterThan(1.5);
    expect(odds([1, 5])).toBeLessThan(3);
    expect(odds([1, 5])).toBeCloseTo(-odds([-1, 5]), 2);
    // A feature that never varies counts for nothing.
    expect(odds([1, 9])).toBeCloseTo(odds([1, 5]), 6);
  });
});
