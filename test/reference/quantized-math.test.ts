/** The fixed-point primitives against a direct BigInt transcription of their definition, over edge values and random ones. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../common/errors.ts';
import {
  INT32_MAX,
  INT32_MIN,
  activationRangeQuantized,
  frexp,
  multiplyByQuantizedMultiplier,
  multiplyByQuantizedMultiplier64,
  quantizeMultiplier,
  roundHalfAwayFromZero,
  roundingDivideByPOT,
  saturatingRoundingDoublingHighMul,
} from '../../firmware-gen/ir/quantized-math.ts';

/** gemmlowp's definition: 64-bit product, sign-dependent nudge, truncating division. */
function highMulBigInt(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const product = BigInt(a) * BigInt(b);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return Number((product + nudge) / (1n << 31n));
}

function divideBigInt(x: number, exponent: number): number {
  const mask = (1n << BigInt(exponent)) - 1n;
  const remainder = BigInt(x) & mask;
  const threshold = (mask >> 1n) + (x < 0 ? 1n : 0n);
  return Number((BigInt(x) >> BigInt(exponent)) + (remainder > threshold ? 1n : 0n));
}

function multiplyBigInt(x: number, multiplier: number, shift: number): number {
  const left = Math.max(shift, 0);
  const shifted = Number(BigInt.asIntN(32, BigInt(x) << BigInt(left)));
  return divideBigInt(highMulBigInt(shifted, multiplier), Math.max(-shift, 0));
}

function multiply64BigInt(x: number, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? (BigInt(multiplier) + 0x8000n) >> 16n : 0x7fffn;
  const total = BigInt(15 - shift);
  return Number(BigInt.asIntN(32, (BigInt(x) * reduced + (1n << (total - 1n))) >> total));
}

const EDGES = [
  INT32_MIN,
  INT32_MIN + 1,
  -1073741825,
  -1073741824,
  -65536,
  -32769,
  -3,
  -2,
  -1,
  0,
  1,
  2,
  3,
  32767,
  32768,
  65535,
  1073741823,
  1073741824,
  1073741825,
  INT32_MAX - 1,
  INT32_MAX,
];
const MULTIPLIERS = [0, 1, 1 << 30, (1 << 30) + 1, 1518500250, 0x7ffeffff, 0x7fff0000, INT32_MAX - 1, INT32_MAX];

function* randomInt32(count: number, seed: number): Generator<number> {
  let x = seed;
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    yield x >> (i % 31);
  }
}

describe('saturatingRoundingDoublingHighMul', () => {
  it('equals the 64-bit definition on all pairs of edge values and on random ones', () => {
    const values = [...EDGES, ...randomInt32(300, 7)];
    for (const a of values) {
      for (const b of values) expect(saturatingRoundingDoublingHighMul(a, b)).toBe(highMulBigInt(a, b));
    }
  });
});

describe('roundingDivideByPOT', () => {
  it('rounds ties away from zero for every exponent from 0 to 31', () => {
    for (let exponent = 0; exponent <= 31; exponent++) {
      for (const x of [...EDGES, ...randomInt32(100, exponent)]) {
        expect(roundingDivideByPOT(x, exponent)).toBe(divideBigInt(x, exponent));
      }
    }
    expect(roundingDivideByPOT(-3, 1)).toBe(-2);
    expect(roundingDivideByPOT(3, 1)).toBe(2);
  });
});

describe('multiplyByQuantizedMultiplier', () => {
  it('equals the definition for shifts from -31 to 30, INT32_MIN included', () => {
    for (let shift = -31; shift <= 30; shift++) {
      for (const multiplier of MULTIPLIERS) {
        for (const x of [...EDGES, ...randomInt32(20, shift)]) {
          expect(multiplyByQuantizedMultiplier(x, multiplier, shift)).toBe(multiplyBigInt(x, multiplier, shift));
        }
      }
    }
  });

  it('rounds twice: 1.25 becomes 2 by way of 3 halves, where one rounding gives 1', () => {
    expect(multiplyByQuantizedMultiplier(3, 1 << 30, -1)).toBe(1);
    expect(Math.round((3 * 2 ** 30) / 2 ** 32)).toBe(1);
    expect(multiplyByQuantizedMultiplier(-3, 1 << 30, -1)).toBe(-1);
    expect(multiplyByQuantizedMultiplier(5, 1 << 30, -1)).toBe(2); // 1.25 -> 3/2 -> 2
    expect(Math.round((5 * 2 ** 30) / 2 ** 32)).toBe(1);
  });
});

describe('multiplyByQuantizedMultiplier64', () => {
  it('equals the definition over its 48-bit domain and every shift from -31 to 7', () => {
    const wide = [-(2 ** 47), -(2 ** 47) + 1, 2 ** 47 - 1, -(2 ** 40) - 12345, 2 ** 33 + 7];
    for (let shift = -31; shift <= 7; shift++) {
      for (const multiplier of MULTIPLIERS) {
        for (const x of [...EDGES, ...wide]) {
          const expected = multiply64BigInt(x, multiplier, shift);
          // Results beyond int32 exceed what the kernels may ask for and what a double can hold; the contract excludes them.
          if (Math.abs(x * multiplier * 2 ** (shift - 31)) < 2 ** 40) {
            expect(multiplyByQuantizedMultiplier64(x, multiplier, shift)).toBe(expected);
          }
        }
      }
    }
  });
});

describe('quantizeMultiplier', () => {
  it('follows frexp, rounding half away from zero and carrying a full mantissa into the exponent', () => {
    expect(quantizeMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(1)).toEqual({ multiplier: 1 << 30, shift: 1 });
    expect(quantizeMultiplier(0.5)).toEqual({ multiplier: 1 << 30, shift: 0 });
    expect(quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 1 << 30, shift: 1 });
    expect(quantizeMultiplier(0.1)).toEqual({ multiplier: 1717986918, shift: -3 });
    expect(quantizeMultiplier(2 ** -32)).toEqual({ multiplier: 1 << 30, shift: -31 });
    expect(quantizeMultiplier(2 ** -33)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(2 ** 29)).toEqual({ multiplier: 1 << 30, shift: 30 });
  });
});

describe('frexp and rounding', () => {
  it('splits normal, subnormal and negative doubles exactly', () => {
    for (const value of [1, -1, 0.75, 2 ** -1074, 3 * 2 ** -1050, 1.7976931348623157e308, -0.1]) {
      const { fraction, exponent } = frexp(value);
      expect(Math.abs(fraction)).toBeGreaterThanOrEqual(0.5);
      expect(Math.abs(fraction)).toBeLessThan(1);
      // Two steps: 2^exponent alone may be below the smallest subnormal.
      expect(fraction * 2 ** Math.floor(exponent / 2) * 2 ** (exponent - Math.floor(exponent / 2))).toBe(value);
    }
  });

  it('rounds halves away from zero and keeps the double just below one half at zero', () => {
    expect([0.5, -0.5, 1.5, -2.5, 2.4, 0.49999999999999994].map((x) => roundHalfAwayFromZero(x) + 0)).toEqual([
      1, -1, 2, -3, 2, 0,
    ]);
  });
});

describe('activationRangeQuantized', () => {
  it('clamps to the type and to the activation', () => {
    expect(activationRangeQuantized('NONE', 'int8', 0.1, 3)).toEqual({ min: -128, max: 127 });
    expect(activationRangeQuantized('RELU', 'int8', 0.1, 3)).toEqual({ min: 3, max: 127 });
    expect(activationRangeQuantized('RELU6', 'int8', 0.1, -128)).toEqual({ min: -128, max: -68 });
    expect(activationRangeQuantized('RELU_N1_TO_1', 'int16', 0.01, 0)).toEqual({ min: -100, max: 100 });
    expect(activationRangeQuantized('RELU6', 'uint8', 6 / 255, 0)).toEqual({ min: 0, max: 255 });
  });

  it('refuses a scale at which a bound leaves int32: the file is wrong, not we', () => {
    const range = (): unknown => activationRangeQuantized('RELU_N1_TO_1', 'int16', 1e-12, 0);
    expect(range).toThrow(UserError);
    expect(range).toThrow(/^RELU_N1_TO_1: -1 in steps of scale 1e-12 leaves int32/);
  });
});
