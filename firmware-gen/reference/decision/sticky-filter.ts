/** Forward filter of a hidden Markov model whose state mostly stays: the twin of tl_sticky_filter, bit for bit. */
import type { StickyParams } from '../../ir/system.ts';

/** @param switching probability to leave a state in one window, 0..1 */
export function stickyParams(classes: number, switching: number): StickyParams {
  const change = Math.max(1, Math.round((32768 * switching) / Math.max(1, classes - 1)));
  return { classes, change, stay: 32768 - classes * change };
}

export function uniformBelief(classes: number): Int32Array {
  return new Int32Array(classes).fill(Math.floor(32768 / classes));
}

/** @param likelihoods Q15, or null for a window without evidence. Returns the belief after it. */
export function stickyFilter(params: StickyParams, belief: Int32Array, likelihoods: Int32Array | null): Int32Array {
  const total = belief.reduce((a, b) => a + b);
  const joint = belief.map((value, c) => {
    // Products of two Q15 values are exact in a double.
    const predicted = Math.floor((params.stay * value + params.change * total) / 32768);
    return Math.floor((predicted * (likelihoods === null ? 32768 : likelihoods[c]!)) / 256) + 1;
  });
  const sum = joint.reduce((a, b) => a + b);
  return joint.map((value) => Math.floor((value * 32768) / sum));
}
