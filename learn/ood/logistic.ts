/** Logistic regression of few features, for detectors that are calibrated with a little unknown data. */
import { assert } from '../../common/errors.ts';

const ROUNDS = 500;
const RATE = 0.5;
/** Weight of the squared coefficients: collinear scores keep finite ones. */
const RIDGE = 1e-3;

/**
 * Full-batch gradient descent on standardised features; both kinds count alike, however many they are.
 * @param positives feature vectors of one length @param negatives of the same length
 * @returns log odds of a vector to be positive
 */
export function fitLogistic(
  positives: readonly (readonly number[])[],
  negatives: readonly (readonly number[])[],
): (vector: readonly number[]) => number {
  assert(positives.length > 0 && negatives.length > 0, 'both kinds of samples');
  const all = [...positives, ...negatives];
  const size = all[0]!.length;
  const mean = Array.from({ length: size }, (_, d) => all.reduce((sum, one) => sum + one[d]!, 0) / all.length);
  const spread = mean.map((m, d) => Math.sqrt(all.reduce((sum, one) => sum + (one[d]! - m) ** 2, 0) / all.length) || 1);
  const standard = (vector: readonly number[]): number[] => vector.map((value, d) => (value - mean[d]!) / spread[d]!);
  const samples = all.map((one, i) => ({
    x: standard(one),
    target: i < positives.length ? 1 : 0,
    weight: 0.5 / (i < positives.length ? positives.length : negatives.length),
  }));
  const coefficients = new Float64Array(size + 1);
  const odds = (x: readonly number[]): number =>
    x.reduce((sum, value, d) => sum + value * coefficients[d]!, coefficients[size]!);
  for (let round = 0; round < ROUNDS; round += 1) {
    const gradient = coefficients.map((value, d) => (d < size ? RIDGE * value : 0));
    for (const { x, target, weight } of samples) {
      const error = weight * (1 / (1 + Math.exp(-odds(x))) - target);
      for (let d = 0; d < size; d += 1) gradient[d]! += error * x[d]!;
      gradient[size]! += error;
    }
    for (let d = 0; d <= size; d += 1) coefficients[d]! -= RATE * gradient[d]!;
  }
  return (vector) => odds(standard(vector));
}
