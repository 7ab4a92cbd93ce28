/** Statistics of windows and the nearest prototype against their TypeScript twins, bit for bit; the twins against the formulas they stand for. */
import { describe, expect, it } from 'vitest';
import type { StatisticsHead } from '../../firmware-gen/ir/system.ts';
import { nearestPrototype, whitenedFeatures } from '../../firmware-gen/reference/decision/prototypes.ts';
import { log2Q10 } from '../../firmware-gen/reference/signal/log-mel.ts';
import { WINDOW_STATISTICS, windowStatistics } from '../../firmware-gen/reference/signal/window-statistics.ts';
import { FORMS, Random } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { cArray } from './signal-c.ts';

const random = new Random(23);
const CHANNELS = 3;
const FRAMES = 48;
const WINDOWS = 40;
const SIZE = CHANNELS * WINDOW_STATISTICS;
const COUNT = 9;
const floors = Uint16Array.from([1, 31, 1024]);

/** Noise of every size about every level, extremes, rest. */
const windows = Int16Array.from({ length: WINDOWS * FRAMES * CHANNELS }, (_, i) => {
  const [window, frame] = [Math.floor(i / (FRAMES * CHANNELS)), Math.floor(i / CHANNELS) % FRAMES];
  if (window === 0) return frame % 2 ? 32767 : -32768;
  if (window === 1) return -32768;
  if (window === 2) return frame < FRAMES / 2 ? -32768 : 32767;
  if (window === 3) return 0;
  const level = ((window * 7919) % 40000) - 20000;
  return Math.max(-32768, Math.min(32767, level + (random.int(-32767, 32767) >> (window % 16))));
});
const windowOf = (index: number): Int16Array =>
  windows.subarray(index * FRAMES * CHANNELS, (index + 1) * FRAMES * CHANNELS);

const whitening = Int16Array.from({ length: (SIZE * (SIZE + 1)) / 2 }, () => random.int(-32768, 32767));
const unfitted = { size: SIZE, count: COUNT, shift: 17, whitening };
/** Some are windows themselves, some lie about, some are as far as can be. */
const centres = Int16Array.from({ length: COUNT * SIZE }, (_, i) => {
  const [p, d] = [Math.floor(i / SIZE), i % SIZE];
  const empty = { ...unfitted, centres: new Int16Array(0), labels: new Uint8Array(0) };
  if (p < 3) return whitenedFeatures(empty, windowStatistics(windowOf(10 * p + 5), floors))[d]!;
  return p === 3 ? (d % 2 ? 16383 : -16383) : random.int(-3000, 3000);
});
const head: StatisticsHead = {
  ...unfitted,
  floors,
  centres,
  labels: Uint8Array.from({ length: COUNT }, (_, p) => (5 * p) % 7),
};
/** Nothing is near: distances saturate. */
const far: StatisticsHead = { ...head, shift: 0, centres: centres.map((_, i) => (i % 2 ? 16383 : -16383)) };

const PROGRAM = `#include "tl_decision.h"
#include "tl_stream.h"

${cArray('uint16_t', 'floors', floors)}
${cArray('int16_t', 'whitening', whitening)}
${cArray('int16_t', 'centres', centres)}
${cArray('int16_t', 'far_centres', far.centres)}
${cArray('uint8_t', 'labels', head.labels)}
static const tl_prototypes_params head = {${SIZE}, ${COUNT}, ${head.shift}, whitening, centres, labels};
static const tl_prototypes_params far = {${SIZE}, ${COUNT}, 0, whitening, far_centres, labels};

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    const int16_t *window = (const int16_t *)(const void *)input;
    int32_t *verdicts = (int32_t *)(void *)output;
    int16_t *statistics = (int16_t *)(void *)(output + ${16 * WINDOWS});
    int16_t scratch[${SIZE}];
    for (int32_t i = 0; i < ${WINDOWS}; ++i, window += ${FRAMES * CHANNELS}, statistics += ${SIZE}, verdicts += 4) {
        tl_window_statistics_s16(${CHANNELS}, floors, window, ${FRAMES}, statistics);
        verdicts[0] = tl_nearest_prototype_s16(&head, statistics, scratch, &verdicts[1]);
        verdicts[2] = tl_nearest_prototype_s16(&far, statistics, scratch, &verdicts[3]);
    }
}
`;

describe.each(FORMS)('statistics of windows and prototypes, %s', (form) => {
  it('should equal their twins', async () => {
    const outputBytes = WINDOWS * (16 + 2 * SIZE);
    const { output } = await runProgram({ source: PROGRAM, input: new Uint8Array(windows.buffer), outputBytes }, form);
    const verdicts = new Int32Array(output.slice(0, 16 * WINDOWS).buffer);
    const statistics = new Int16Array(output.slice(16 * WINDOWS).buffer);
    const labels = new Set<number>();
    for (let i = 0; i < WINDOWS; i += 1) {
      const expected = windowStatistics(windowOf(i), floors);
      expect(statistics.subarray(i * SIZE, (i + 1) * SIZE), `window ${i}`).toEqual(expected);
      const [near, distant] = [nearestPrototype(head, expected), nearestPrototype(far, expected)];
      const found = [near.distance, near.label, distant.distance, distant.label];
      expect([...verdicts.subarray(4 * i, 4 * i + 4)], `window ${i}`).toEqual(found);
      labels.add(near.label);
    }
    expect(labels.size).toBeGreaterThan(2);
  });
});

describe('the twins', () => {
  it('should give logarithms at most 1.1 steps below the exact ones', () => {
    let worst = 0;
    const check = (value: number): void => {
      const below = 1024 * Math.log2(value) - log2Q10(value);
      expect(below).toBeGreaterThan(-1e-9);
      worst = Math.max(worst, below);
    };
    for (let value = 1; value < 70000; value += 1) check(value);
    for (let i = 0; i < 20000; i += 1) check(Math.floor(2 ** (53 * random.real())));
    expect(worst).toBeLessThan(1.1);
  });

  it('should give mean, spread, changes and crossings of a window', () => {
    // Alternates about 100 in steps of 400, but rests at the end.
    const window = Int16Array.from({ length: 40 }, (_, i) => (i >= 36 ? 100 : i % 2 ? 300 : -100));
    const [mean, variance, changes, moves, crossings] = windowStatistics(window, Uint16Array.of(2)) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const log = (value: number): number => 1024 * (Math.log2(value) - 16);
    expect(mean).toBe(100);
    expect(Math.abs(variance - log(40 * 40 * (36 * 200 * 200 * (1 / 40) + 4)))).toBeLessThan(1.2);
    expect(Math.abs(changes - log(35 * 160000 + 40000 + 40 * 4))).toBeLessThan(1.2);
    expect(Math.abs(moves - log(35 * 400 + 200 + 40 * 2))).toBeLessThan(1.2);
    // The last value at the mean counts as below it, whence one more step down from 300.
    expect(crossings).toBe(Math.floor((32768 * 36) / 40));
  });

  it('should find the nearest prototype, and say so of what equals one', () => {
    for (const p of [0, 1, 2]) {
      const features = windowStatistics(windowOf(10 * p + 5), floors);
      expect(nearestPrototype(head, features)).toEqual({ distance: 0, label: head.labels[p] });
    }
    expect(nearestPrototype(far, windowStatistics(windowOf(4), floors)).distance).toBe(2147483647);
  });
});
