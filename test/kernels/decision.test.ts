/** The decision kernels against their TypeScript twins, bit for bit; the twins against the formulas they stand for. */
import { describe, expect, it } from 'vitest';
import { quantizeMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import type { CosineHead, LinearHead, MahalanobisHead } from '../../firmware-gen/ir/system.ts';
import {
  cosineAccepts,
  cosinePowers,
  cosineScores,
  energyQ10,
  exp2Q15,
  indexOfLargest,
  linearScores,
  mahalanobisDistance,
  relativePowers,
} from '../../firmware-gen/reference/decision/heads.ts';
import { stickyFilter, stickyParams, uniformBelief } from '../../firmware-gen/reference/decision/sticky-filter.ts';
import { FORMS, Random } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { cArray } from './signal-c.ts';

const random = new Random(17);
const SIZE = 32;
const CLASSES = 5;
const WINDOWS = 60;
const SHARPNESS = 180;
/** 0.7 */
const TAU_SQUARED = 0.49;

const unitRows = Array.from({ length: CLASSES }, () => {
  const row = Array.from({ length: SIZE }, () => random.real() * 2 - 1);
  const norm = Math.hypot(...row);
  return row.map((value) => Math.round((value / norm) * 32767));
});
const cosine: CosineHead = {
  size: SIZE,
  classes: CLASSES,
  offset: 5,
  thresholdSquared: Math.round(TAU_SQUARED * 2 ** 30),
  weights: Int16Array.from(unitRows.flat()),
};
const linear: LinearHead = {
  size: SIZE,
  classes: CLASSES,
  offset: 5,
  weights: Int16Array.from({ length: SIZE * CLASSES }, () => random.int(-32768, 32767)),
  bias: Int32Array.from({ length: CLASSES }, () => random.int(-1000000, 1000000)),
};
const scale = quantizeMultiplier(0.0021);
const mahalanobis: MahalanobisHead = {
  size: SIZE,
  classes: CLASSES,
  offset: 5,
  shift: 3,
  whitening: Int16Array.from({ length: (SIZE * (SIZE + 1)) / 2 }, () => random.int(-32768, 32767)),
  centres: Int32Array.from({ length: SIZE * CLASSES }, (_, i) => random.int(-2147483648, 2147483647) >> (i % 20)),
};
const sticky = stickyParams(CLASSES, 0.05);

/** Near a class, near none, extremes, and nothing at all (phi = 0). */
const features = Int8Array.from({ length: SIZE * WINDOWS }, (_, i) => {
  const [window, d] = [Math.floor(i / SIZE), i % SIZE];
  if (window === 0) return -cosine.offset;
  if (window < 4) return [-128, 127, window % 2 ? 127 : -128][window - 1]!;
  const near = (unitRows[window % CLASSES]![d]! / 32767) * (window % 3 ? 90 : 0);
  return Math.max(-128, Math.min(127, Math.round(near + random.int(-12, 12)) - cosine.offset));
});

/** Per window: class, accepted, norm, scores, powers of the cosine head, linear scores, powers and energy, distance, filter. */
function rows(): { ints: number[]; distance: bigint }[] {
  let belief = uniformBelief(CLASSES);
  return Array.from({ length: WINDOWS }, (_, window) => {
    const phi = features.subarray(SIZE * window, SIZE * (window + 1));
    const { scores, squaredNorm } = cosineScores(cosine, phi);
    const best = indexOfLargest(scores);
    const accepted = cosineAccepts(cosine, scores[best]!, squaredNorm);
    const likelihoods = cosinePowers(SHARPNESS, squaredNorm, scores);
    const logits = linearScores(linear, phi);
    const powers = relativePowers(scale, logits);
    const { distance, nearest } = mahalanobisDistance(mahalanobis, phi);
    belief = stickyFilter(sticky, belief, accepted ? likelihoods.powers : null);
    const head = [best, accepted ? 1 : 0, squaredNorm, ...scores, ...likelihoods.powers, likelihoods.sum];
    const energy = energyQ10(scale, logits[indexOfLargest(logits)]!, powers.sum);
    const other = [indexOfLargest(logits), ...logits, ...powers.powers, powers.sum, energy, nearest];
    return { ints: [...head, ...other, indexOfLargest(belief), ...belief], distance };
  });
}

function program(intsPerWindow: number): string {
  const { multiplier, shift } = scale;
  return `#include "tl_decision.h"

${cArray('int16_t', 'unit_weights', cosine.weights)}
${cArray('int16_t', 'linear_weights', linear.weights)}
${cArray('int32_t', 'linear_bias', linear.bias)}
${cArray('int16_t', 'whitening', mahalanobis.whitening)}
${cArray('int32_t', 'centres', mahalanobis.centres)}
static const tl_cosine_params cosine = {${SIZE}, ${CLASSES}, 5, ${cosine.thresholdSquared}, unit_weights};
static const tl_linear_params linear = {${SIZE}, ${CLASSES}, 5, linear_weights, linear_bias};
static const tl_exponent_scale scale = {${multiplier}, ${shift}};
static const tl_mahalanobis_params mahalanobis = {${SIZE}, ${CLASSES}, 5, 3, whitening, centres};
static const tl_sticky_params sticky = {${CLASSES}, ${sticky.stay}, ${sticky.change}};

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    int64_t *distances = (int64_t *)(void *)output;
    int32_t *ints = (int32_t *)(void *)(output + ${8 * WINDOWS});
    int32_t belief[${CLASSES}];
    int32_t scratch[${SIZE}];
    for (int32_t c = 0; c < ${CLASSES}; ++c) {
        belief[c] = ${Math.floor(32768 / CLASSES)};
    }
    for (int32_t window = 0; window < ${WINDOWS}; ++window, ints += ${intsPerWindow}) {
        const int8_t *phi = (const int8_t *)input + window * ${SIZE};
        int32_t *scores = ints + 3;
        int32_t *powers = scores + ${CLASSES};
        int32_t *logits = powers + ${CLASSES} + 2;
        int32_t *rest = logits + 2 * ${CLASSES};
        ints[0] = tl_cosine_scores_s8(&cosine, phi, scores, &ints[2]);
        ints[1] = tl_cosine_accepts(&cosine, scores[ints[0]], ints[2]);
        powers[${CLASSES}] = tl_cosine_powers(${SHARPNESS}, ints[2], ${CLASSES}, scores, powers);
        logits[-1] = tl_linear_scores_s8(&linear, phi, logits);
        rest[0] = tl_relative_powers(&scale, ${CLASSES}, logits, logits + ${CLASSES});
        rest[1] = tl_energy_q10(&scale, logits[logits[-1]], rest[0]);
        distances[window] = tl_mahalanobis_s8(&mahalanobis, phi, scratch, &rest[2]);
        rest[3] = tl_sticky_filter(&sticky, belief, ints[1] != 0 ? powers : NULL);
        for (int32_t c = 0; c < ${CLASSES}; ++c) {
            rest[4 + c] = belief[c];
        }
    }
}
`;
}

describe.each(FORMS)('decision kernels, %s', (form) => {
  it('should equal their twins', async () => {
    const expected = rows();
    const perWindow = expected[0]!.ints.length;
    const outputBytes = WINDOWS * (8 + 4 * perWindow);
    const input = new Uint8Array(features.buffer);
    const { output } = await runProgram({ source: program(perWindow), input, outputBytes }, form);
    const distances = new BigInt64Array(output.slice(0, 8 * WINDOWS).buffer);
    const ints = new Int32Array(output.slice(8 * WINDOWS).buffer);
    for (const [window, row] of expected.entries()) {
      expect([...ints.subarray(window * perWindow, (window + 1) * perWindow)], `window ${window}`).toEqual(row.ints);
      expect(distances[window], `window ${window}`).toBe(row.distance);
    }
  });
});

describe('the twins', () => {
  it('should accept what reaches the cosine, by division and square root', () => {
    const verdicts = Array.from({ length: WINDOWS - 1 }, (_, i) => {
      const phi = features.subarray(SIZE * (i + 1), SIZE * (i + 2));
      const { scores, squaredNorm } = cosineScores(cosine, phi);
      const best = Math.max(...scores);
      const exact = best / 32768 / Math.sqrt(squaredNorm);
      const accepted = cosineAccepts(cosine, best, squaredNorm);
      if (Math.abs(exact - 0.7) > 1e-6) expect(accepted).toBe(exact > 0.7);
      // The same direction at half the length: a run-time exponent changes nothing.
      expect(cosineAccepts(cosine, 2 * best, 4 * squaredNorm)).toBe(accepted);
      return accepted;
    });
    expect(new Set(verdicts)).toEqual(new Set([true, false]));
    expect(cosineAccepts(cosine, 0, 0)).toBe(false);
    expect(cosineAccepts(cosine, -100000, 1)).toBe(false);
  });

  it('should raise two to powers within a step', () => {
    for (let t = 0; t > -16 * 1024; t -= 7) expect(Math.abs(exp2Q15(t) - 32768 * 2 ** (t / 1024))).toBeLessThan(1.001);
    expect(exp2Q15(-2147483648)).toBe(0);
  });

  it('should give softmax and energy', () => {
    const logits = Int32Array.from([100000, 99000, 96000, 0, -2147483648]);
    const real = [...logits].map((q) => q * 0.0021 * Math.LN2 * 2 ** -10);
    const { powers, sum } = relativePowers(scale, logits);
    const exact = real.map((value) => Math.exp(value - real[0]!));
    const exactSum = exact.reduce((a, b) => a + b);
    expect(Math.abs(powers[1]! / sum - exact[1]! / exactSum)).toBeLessThan(0.001);
    const energy = energyQ10(scale, logits[0]!, sum);
    expect(Math.abs(energy / 1024 - (real[0]! + Math.log(exactSum)) / Math.LN2)).toBeLessThan(0.003);
  });

  it('should stay with what was believed, and change with evidence', () => {
    const evidence = (c: number): Int32Array => new Int32Array(CLASSES).fill(8000).fill(32768, c, c + 1);
    let belief = uniformBelief(CLASSES);
    for (let i = 0; i < 5; i += 1) belief = stickyFilter(sticky, belief, evidence(2));
    expect(belief[2]).toBeGreaterThan(32000);
    belief = stickyFilter(sticky, belief, evidence(4));
    expect(indexOfLargest(belief)).toBe(2);
    for (let i = 0; i < 4; i += 1) belief = stickyFilter(sticky, belief, evidence(4));
    expect(indexOfLargest(belief)).toBe(4);
    // Without evidence it fades towards not knowing.
    const certain = belief[4]!;
    for (let i = 0; i < 20; i += 1) belief = stickyFilter(sticky, belief, null);
    expect(belief[4]).toBeLessThan(certain);
    expect(indexOfLargest(belief)).toBe(4);
  });
});
