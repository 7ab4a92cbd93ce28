/** The Kalman filter's kernel against its twin, bit for bit; the twin against the textbook formula in floating point, and its fit. */
import { describe, expect, it } from 'vitest';
import type { KalmanParams } from '../../firmware-gen/ir/system.ts';
import { kalmanStart, kalmanStep } from '../../firmware-gen/reference/decision/kalman.ts';
import { fitKalman, type FeatureRun } from '../../learn/decision/fit-kalman.ts';
import { createRandom } from '../../learn/random.ts';
import { FORMS, Random } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { cArray } from './signal-c.ts';

const [SIZE, CLASSES, WINDOWS] = [17, 3, 80];
const random = new Random(4);
const params: KalmanParams = {
  size: SIZE,
  classes: CLASSES,
  offset: -7,
  shift: 2,
  whitening: Int16Array.from({ length: (SIZE * (SIZE + 1)) / 2 }, (_, i) => random.int(-32768, 32767) >> (i % 9)),
  centres: Int32Array.from({ length: SIZE * CLASSES }, (_, i) => random.int(-2147483648, 2147483647) >> (i % 24)),
  drift: Uint16Array.from({ length: SIZE }, (_, i) => (i === 0 ? 65535 : random.int(0, 65535) >> (i % 12))),
  noise: Uint16Array.from({ length: SIZE }, (_, i) => (i === 0 ? 65535 : 1 + (random.int(0, 65534) >> (i % 12)))),
};
const features = Int8Array.from({ length: SIZE * WINDOWS }, (_, i) =>
  i < 6 * SIZE ? (Math.floor(i / SIZE) % 2 ? 127 : -128) : random.int(-128, 127),
);
/** A stream may begin with rejected windows. */
const isRejected = (window: number): boolean => window < 2 || window % 11 === 5;

const program = `#include "tl_kalman.h"
${cArray('int16_t', 'whitening', params.whitening)}
${cArray('int32_t', 'centres', params.centres)}
${cArray('uint16_t', 'drift', params.drift)}
${cArray('uint16_t', 'noise', params.noise)}
static const tl_kalman_params params = {${SIZE}, ${CLASSES}, -7, 2, whitening, centres, drift, noise};

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    int32_t *ints = (int32_t *)(void *)output;
    int32_t mean[${SIZE}] = {0};
    uint16_t variance[${SIZE}] = {0};
    int32_t started = 0;
    for (int32_t window = 0; window < ${WINDOWS}; ++window) {
        const int8_t *phi = (const int8_t *)input + window * ${SIZE};
        const int32_t rejected = window < 2 || window % 11 == 5;
        for (int32_t c = 0; c < ${CLASSES}; ++c) {
            ints[c] = 1;
        }
        tl_kalman_s8(&params, mean, variance, &started, rejected ? NULL : phi, ints);
        ints += ${CLASSES};
        for (int32_t i = 0; i < ${SIZE}; ++i) {
            *ints++ = mean[i];
            *ints++ = variance[i];
        }
    }
}
`;

describe.each(FORMS)('tl_kalman_s8, %s', (form) => {
  it('should equal its twin', async () => {
    const perWindow = CLASSES + 2 * SIZE;
    const input = new Uint8Array(features.buffer);
    const { output } = await runProgram({ source: program, input, outputBytes: 4 * perWindow * WINDOWS }, form);
    const ints = new Int32Array(output.slice().buffer);
    const state = kalmanStart(params);
    for (let window = 0; window < WINDOWS; window += 1) {
      const phi = isRejected(window) ? null : features.subarray(SIZE * window, SIZE * (window + 1));
      const scores = kalmanStep(params, state, phi) ?? new Int32Array(CLASSES).fill(1);
      const rows = Array.from({ length: SIZE }, (_, i) => [state.mean[i]!, state.variance[i]!]).flat();
      const actual = [...ints.subarray(window * perWindow, (window + 1) * perWindow)];
      expect(actual, `window ${window}`).toEqual([...scores, ...rows]);
    }
  });
});

describe('the twin', () => {
  it('should be the filter of the textbook', () => {
    const one = { ...params, size: 1, classes: 1, offset: 0, shift: 0, whitening: Int16Array.of(64) };
    const scalar = { ...one, centres: Int32Array.of(0), drift: Uint16Array.of(100), noise: Uint16Array.of(900) };
    const state = kalmanStart(scalar);
    let [mean, variance] = [0, 0];
    for (const [t, value] of [10, 20, 12, null, 18, -30, 16].entries()) {
      kalmanStep(scalar, state, value === null ? null : Int8Array.of(value));
      if (t === 0) [mean, variance] = [64 * 10, 900];
      else {
        variance += 100;
        if (value !== null) {
          const gain = variance / (variance + 900);
          mean += gain * (64 * value - mean);
          variance *= 1 - gain;
        }
      }
      // A variance of 500 to 1000 rounded to whole units moves the gain by up to 0.07 %, of a step of up to 3072.
      expect(Math.abs(state.mean[0]! / 256 - mean)).toBeLessThan(2);
      expect(Math.abs(state.variance[0]! - variance)).toBeLessThan(1.5);
    }
  });

  it('should tell classes from noisy windows better than one window does', () => {
    const draw = createRandom(12);
    const runs = (seed: number): FeatureRun[] =>
      Array.from({ length: 40 }, (_, i) => {
        const label = (i + seed) % 2;
        const run = Array.from({ length: 12 }, () =>
          Int8Array.from({ length: 4 }, () => Math.round((label === 0 ? -6 : 6) + 15 * draw.normal())),
        );
        return { label, features: run };
      });
    const settings = { classes: 2, offset: 0, switching: 0.02, independentAfter: 1 };
    const filter = fitKalman(runs(0), runs(1), settings);
    let [single, filtered, count] = [0, 0, 0];
    const best = (scores: Int32Array): number => (scores[0]! >= scores[1]! ? 0 : 1);
    for (const { label, features: run } of runs(0)) {
      const state = kalmanStart(filter.params);
      for (const phi of run) {
        single += best(kalmanStep(filter.params, kalmanStart(filter.params), phi)!) === label ? 1 : 0;
        filtered += best(kalmanStep(filter.params, state, phi)!) === label ? 1 : 0;
        count += 1;
      }
    }
    // Two standard deviations in all between the classes: a single window is right in 79 %.
    expect(single / count).toBeGreaterThan(0.72);
    expect(single / count).toBeLessThan(0.86);
    expect(filtered / count).toBeGreaterThan(single / count + 0.07);
  });
});
