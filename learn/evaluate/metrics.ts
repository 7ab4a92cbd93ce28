/** How good predictions are: numbers only, no models. Probabilities and scores are one row per sample. */
import { assert } from '../../common/errors.ts';

export type Rows = readonly ArrayLike<number>[];

export function softmaxOf(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** Mean 0, standard deviation 1 over the classes, so that logits of different scale compare; all zero when they are all equal. */
export function normalisedLogits(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}

/** The first of the largest. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Mean absolute difference of two rows. */
export function meanAbsoluteError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert(a.length === b.length && a.length > 0, 'rows of one length');
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

/** Area under the ROC curve by ranks, ties count half; null unless both kinds occur. */
export function areaUnderCurve(scores: ArrayLike<number>, positive: readonly boolean[]): number | null {
  const order = [...positive.keys()].sort((a, b) => scores[a]! - scores[b]!);
  const positives = positive.filter(Boolean).length;
  const negatives = positive.length - positives;
  if (positives === 0 || negatives === 0) return null;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end += 1;
    // Ranks start+1 .. end share their mean.
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i += 1) if (positive[order[i]!]) rankSum += rank;
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Two classes: the area for class 1; more: the mean of one class against the rest, over classes that occur. */
export function classAuc(probabilities: Rows, labels: readonly number[], classes: number): number | null {
  const one = (c: number): number | null =>
    areaUnderCurve(
      probabilities.map((row) => row[c]!),
      labels.map((label) => label === c),
    );
  if (classes === 2) return one(1);
  const areas = Array.from({ length: classes }, (_, c) => one(c)).filter((area) => area !== null);
  return areas.length === 0 ? null : areas.reduce((a, b) => a + b, 0) / areas.length;
}

const ECE_BINS = 15;

/** Expected calibration error (Guo et al., arXiv 1706.04599): |confidence - accuracy| over 15 equal bins of confidence, weighted. */
export function calibrationError(probabilities: Rows, labels: readonly number[]): number {
  const bins = Array.from({ length: ECE_BINS }, () => ({ count: 0, confidence: 0, correct: 0 }));
  for (const [i, row] of probabilities.entries()) {
    const predicted = argmax(row);
    const confidence = Math.min(1, Math.max(0, row[predicted]!));
    const bin = bins[Math.min(ECE_BINS - 1, Math.floor(confidence * ECE_BINS))]!;
    bin.count += 1;
    bin.confidence += confidence;
    bin.correct += predicted === labels[i] ? 1 : 0;
  }
  return bins.reduce((sum, { confidence, correct }) => sum + Math.abs(confidence - correct), 0) / probabilities.length;
}

/** confusion[true class][predicted class] */
export function confusionMatrix(labels: readonly number[], predicted: readonly number[], classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, label] of labels.entries()) matrix[label]![predicted[i]!]! += 1;
  return matrix;
}
