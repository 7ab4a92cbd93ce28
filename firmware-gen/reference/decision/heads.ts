/** Class scores and tests for being in distribution from int8 features: the twins of kernels/include/tl_decision.h, bit for bit. */
import { INT32_MIN, multiplyByQuantizedMultiplier, type QuantizedMultiplier } from '../../ir/quantized-math.ts';
import type { CosineHead, LinearHead, MahalanobisHead } from '../../ir/system.ts';
import { log2Q10 } from '../signal/log-mel.ts';

/** First index of the largest. */
export function indexOfLargest(values: Int32Array): number {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)));
}

function products(head: { size: number; offset: number; weights: Int16Array }, phi: Int8Array, c: number): number {
  let sum = 0;
  for (let i = 0; i < head.size; i += 1) sum += head.weights[c * head.size + i]! * (phi[i]! + head.offset);
  return sum;
}

export function cosineScores(head: CosineHead, phi: Int8Array): { scores: Int32Array; squaredNorm: number } {
  const scores = Int32Array.from({ length: head.classes }, (_, c) => products(head, phi, c));
  return { scores, squaredNorm: phi.reduce((sum, value) => sum + (value + head.offset) ** 2, 0) };
}

export function cosineAccepts({ thresholdSquared }: CosineHead, score: number, squaredNorm: number): boolean {
  return score > 0 && BigInt(score) ** 2n >= BigInt(thresholdSquared) * BigInt(squaredNorm);
}

export function linearScores(head: LinearHead, phi: Int8Array): Int32Array {
  return Int32Array.from({ length: head.classes }, (_, c) => head.bias[c]! + products(head, phi, c));
}

/** How far the best score is above that of the class 'unknown'. @param unknown of one class, in the same steps */
export function unknownMargin(unknown: LinearHead, best: number, phi: Int8Array): number {
  return best - linearScores(unknown, phi)[0]!;
}

/** 2^(-1/2), 2^(-1/4), .. in Q30. */
const ROOTS = Array.from({ length: 10 }, (_, i) => Math.round(2 ** 30 * 2 ** -(2 ** -(i + 1))));

/** 2^t in Q15 of t <= 0 in Q10. */
export function exp2Q15(t: number): number {
  if (t <= -16 * 1024) return 0;
  const [whole, fraction] = [-t >> 10, -t & 1023];
  let power = 1 << 30;
  for (const [bit, root] of ROOTS.entries())
    if ((fraction & (512 >> bit)) !== 0) power = Number((BigInt(power) * BigInt(root)) >> 30n);
  return ((power >> (14 + whole)) + 1) >> 1;
}

export interface Powers {
  /** Q15, 1 as 32768. */
  readonly powers: Int32Array;
  readonly sum: number;
}

const withSum = (powers: Int32Array): Powers => ({ powers, sum: powers.reduce((a, b) => a + b) });

/** @param scale of scores to exponents of two in Q10 */
export function relativePowers(scale: QuantizedMultiplier, scores: Int32Array): Powers {
  const largest = scores.reduce((a, b) => Math.max(a, b));
  return withSum(
    scores.map((score) =>
      exp2Q15(multiplyByQuantizedMultiplier(Math.max(INT32_MIN, score - largest), scale.multiplier, scale.shift)),
    ),
  );
}

export function cosinePowers(sharpness: number, squaredNorm: number, scores: Int32Array): Powers {
  const norm = Math.max(1, Math.floor(Math.sqrt(squaredNorm)));
  const largest = scores.reduce((a, b) => Math.max(a, b));
  return withSum(
    scores.map((score) => {
      const exponent = ((BigInt(largest - score) * BigInt(sharpness)) / BigInt(norm)) >> 8n;
      return exp2Q15(exponent > 16n * 1024n ? -16 * 1024 : -Number(exponent));
    }),
  );
}

/** log2 of the sum of 2^score, Q10. */
export function energyQ10(scale: QuantizedMultiplier, largest: number, sum: number): number {
  const exponent = multiplyByQuantizedMultiplier(largest, scale.multiplier, scale.shift);
  return (exponent + log2Q10(sum) - 15 * 1024) | 0;
}

const DIFFERENCE_MAX = 2 ** 27;

export function mahalanobisDistance(head: MahalanobisHead, phi: Int8Array): { distance: bigint; nearest: number } {
  const { size, classes, offset, shift, whitening, centres } = head;
  let at = 0;
  const whitened = Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let j = 0; j <= i; j += 1, at += 1) sum += whitening[at]! * (phi[j]! + offset);
    return sum >> shift;
  });
  const distances = Array.from({ length: classes }, (_, c) =>
    whitened.reduce((sum, value, i) => {
      const difference = Math.min(DIFFERENCE_MAX, Math.max(-DIFFERENCE_MAX, value - centres[c * size + i]!));
      return sum + BigInt(difference) ** 2n;
    }, 0n),
  );
  const distance = distances.reduce((a, b) => (b < a ? b : a));
  return { distance, nearest: distances.indexOf(distance) };
}
