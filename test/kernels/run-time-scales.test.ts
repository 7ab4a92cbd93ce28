/** What decision systems with dynamic encoders add: windows with a scale of their own and linear heads that follow it, C against twin and formula. */
import { describe, expect, it } from 'vitest';
import { realScale, runScale, type DynamicScheme, type RunScale } from '../../firmware-gen/ir/dynamic.ts';
import { quantizeMultiplier } from '../../firmware-gen/ir/quantized-math.ts';
import type { SystemHead } from '../../firmware-gen/ir/system.ts';
import { headAtScale } from '../../firmware-gen/reference/decision/head-at-scale.ts';
import { standardiseChannel, standardiseDynamic } from '../../firmware-gen/reference/signal/motion.ts';
import { FORMS, Random } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { cArray } from './signal-c.ts';

const random = new Random(23);
const FRAMES = 9;
const CHANNELS = 5;
/** Units of 2^-20; the first channel's count is 250 of them. */
const UNIT = { multiplier: 2 ** 30, shift: -19 };
const STEPS = [250, 128.5, 3, 0.2, 77].map((units) => units * 2 ** -20);
const channels = STEPS.map((step, c) => standardiseChannel(c * 300 - 500.3, step / realScale(UNIT)));

/** From silence to full scale, of one sign, of both, and of one extreme value. */
const WINDOWS = [0, 1, 20, 900, 32767, -5000, 32768].map((limit, i) =>
  Int16Array.from({ length: FRAMES * CHANNELS }, () => {
    if (limit === 32768) return random.int(0, 9) === 0 ? -32768 : 32767;
    return i % 2 === 0
      ? random.int(-Math.abs(limit), Math.abs(limit))
      : random.int(0, Math.abs(limit)) * Math.sign(limit);
  }),
);
const LEASTS: readonly (RunScale | null)[] = [null, runScale(2 ** -14, 0, true), runScale(2 ** -9, 0, true)];
const frontCases = (['q', 'asym'] as const).flatMap((scheme: DynamicScheme) =>
  LEASTS.flatMap((least) => WINDOWS.map((window) => ({ scheme, least, window }))),
);

const CLASSES = 4;
const SIZE = 6;
const PHI_SHIFT = -4;
const head: Extract<SystemHead, { kind: 'linear' }> = {
  kind: 'linear',
  head: {
    ...{ size: SIZE, classes: CLASSES, offset: 0 },
    weights: Int16Array.from({ length: SIZE * CLASSES }, () => random.int(-32768, 32767)),
    bias: Int32Array.of(1234567, -98765, 0, -(2 ** 31)),
  },
  scale: quantizeMultiplier(0.0017),
  phiShift: PHI_SHIFT,
};
const SCALES: readonly RunScale[] = [
  ...[2 ** -5, 2 ** -2, 0.03, 0.0471, 3.7, 900, 1e-4, 1e-7, 1e-12, 1e9].map((value, i) => runScale(value, i * 9 - 40)),
  { multiplier: 2 ** 31 - 1, shift: -4, zeroPoint: -128 },
];

function expectedBytes(): Uint8Array {
  const words: number[] = [];
  for (const { scheme, least, window } of frontCases) {
    const { values, scale } = standardiseDynamic(window, channels, UNIT, { scheme, least });
    words.push(...values, scale.multiplier, scale.shift, scale.zeroPoint);
  }
  for (const scale of SCALES) {
    const now = headAtScale(head, scale);
    words.push(...now.head.bias, now.head.offset, now.scale.multiplier, now.scale.shift);
  }
  return new Uint8Array(Int32Array.from(words).buffer);
}

function program(): string {
  const params = channels.map(({ offset, multiplier, shift }) => `{${offset}, ${multiplier}, ${shift}}`).join(', ');
  const dynamics = frontCases.map(({ scheme, least }) => {
    const floor = `${least?.multiplier ?? 0}, ${least?.shift ?? 0}`;
    return `{TL_DYNAMIC_FULL, ${scheme === 'asym' ? 1 : 0}, 0, 0, 0, 1 << 30, 7, ${floor}}`;
  });
  const scales = SCALES.flatMap(({ multiplier, shift, zeroPoint }) => [multiplier, shift, zeroPoint]);
  return `#include "tl_decision.h"
#include "tl_motion.h"

static const tl_standardise_params channels[] = {${params}};
static const tl_dynamic_params dynamics[] = {${dynamics.join(', ')}};
static const int32_t unit[3] = {${UNIT.multiplier}, ${UNIT.shift}, 0};
${cArray('int16_t', 'head_weights', head.head.weights)}
${cArray('int32_t', 'head_bias', head.head.bias)}
${cArray('int32_t', 'scales', scales)}
static const tl_linear_params head = {${SIZE}, ${CLASSES}, 0, head_weights, head_bias};
static const tl_exponent_scale exponents = {${head.scale.multiplier}, ${head.scale.shift}};

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    int32_t *words = (int32_t *)(void *)output;
    const int16_t *windows = (const int16_t *)(const void *)input;
    for (int32_t i = 0; i < ${frontCases.length}; ++i) {
        int8_t values[${FRAMES * CHANNELS}];
        const int16_t *window = windows + i % ${WINDOWS.length} * ${FRAMES * CHANNELS};
        tl_standardise_dynamic_s16_s8(channels, ${CHANNELS}, &dynamics[i], unit, window, ${FRAMES}, values, words + ${FRAMES * CHANNELS});
        for (int32_t k = 0; k < ${FRAMES * CHANNELS}; ++k) {
            *words++ = values[k];
        }
        words += 3;
    }
    for (int32_t i = 0; i < ${SCALES.length}; ++i, words += ${CLASSES + 3}) {
        tl_linear_params now;
        tl_exponent_scale exponents_now;
        tl_linear_at_scale(&head, &exponents, ${PHI_SHIFT}, scales + 3 * i, words, &now, &exponents_now);
        words[${CLASSES}] = now.offset;
        words[${CLASSES + 1}] = exponents_now.multiplier;
        words[${CLASSES + 2}] = exponents_now.shift;
    }
}
`;
}

describe.each(FORMS)('scales found at run time, %s', (form) => {
  it('should be those of the twins', async () => {
    const expected = expectedBytes();
    const input = new Uint8Array(Int16Array.from(WINDOWS.flatMap((window) => [...window])).buffer);
    const { output } = await runProgram({ source: program(), input, outputBytes: expected.length }, form);
    expect(new Int32Array(output.slice().buffer)).toEqual(new Int32Array(expected.buffer));
  });
});

describe('the twins', () => {
  it.each(['q', 'asym'] as const)('should keep every window to within a step of its own scale: %s', (scheme) => {
    for (const window of WINDOWS) {
      const { values, scale } = standardiseDynamic(window, channels, UNIT, { scheme, least: null });
      const step = realScale(scale);
      const exact = Float64Array.from(
        window,
        (count, i) => (count + channels[i % CHANNELS]!.offset) * STEPS[i % CHANNELS]!,
      );
      const range = Math.max(0, ...exact) - Math.min(0, ...exact);
      // No coarser than needed, but for units of 2^-20; Q's steps are powers of two over one sign.
      expect(step).toBeLessThanOrEqual(Math.max(2 ** -18, (scheme === 'q' ? 2 * range : range) / 127));
      for (const [i, value] of values.entries())
        expect(Math.abs((value - scale.zeroPoint) * step - exact[i]!)).toBeLessThan(1.01 * step);
    }
  });

  it('should give no finer scale than the encoder takes', () => {
    const least = LEASTS[2]!;
    for (const scheme of ['q', 'asym'] as const) {
      const { scale } = standardiseDynamic(WINDOWS[1]!, channels, UNIT, { scheme, least });
      expect(realScale(scale)).toBeGreaterThanOrEqual(realScale(least));
      expect(realScale(scale)).toBeLessThan(1.01 * realScale(least));
    }
  });

  it('should rescale bias and exponents of a linear head by what features count in now', () => {
    const nominal = 2 ** (PHI_SHIFT - 1);
    for (const scale of SCALES.slice(0, 6)) {
      const ratio = realScale(scale) / nominal;
      const now = headAtScale(head, scale);
      expect(now.head.offset).toBe(-scale.zeroPoint || 0);
      for (const c of [0, 1, 2]) expect(Math.abs(now.head.bias[c]! - head.head.bias[c]! / ratio)).toBeLessThan(1.01);
      const wanted = Math.min(1, realScale(head.scale) * ratio);
      expect(Math.abs(realScale(now.scale) / wanted - 1)).toBeLessThan(2 ** -29);
    }
    // Beyond what 32 bits hold: the bias stops at 2^29, the exponents at one and at nothing.
    expect(headAtScale(head, runScale(1e-9)).head.bias[0]).toBe(2 ** 29);
    expect(headAtScale(head, runScale(1e9)).scale).toEqual({ multiplier: 2 ** 31 - 1, shift: 0 });
    expect(headAtScale(head, runScale(1e-12)).scale).toEqual({ multiplier: 0, shift: 0 });
  });

  it('should leave a static head, and the thresholds of a cosine head, as they are', () => {
    expect(headAtScale(head, null)).toBe(head);
    const cosine = { size: 2, classes: 1, offset: 0, thresholdSquared: 7, weights: Int16Array.of(1, 2) };
    const now = headAtScale({ kind: 'cosine', head: cosine, sharpness: 3 }, runScale(0.3, -9));
    expect(now).toEqual({ kind: 'cosine', head: { ...cosine, offset: 9 }, sharpness: 3 });
  });
});
