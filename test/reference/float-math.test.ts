/** How far the fixed float32 algorithms are from the true functions, over a dense sample of all float32 arguments and the special values. */
import { describe, expect, it } from 'vitest';
import { expF32, logisticF32, tanhF32 } from '../../firmware-gen/reference/float-math.ts';

/** A prime step over the bit patterns: about 1.1 million arguments, every exponent and both signs. */
const STEP = 3907;
const MIN_NORMAL = 2 ** -126;

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

function* sampledFloats(): Generator<number> {
  for (let bits = 0; bits < 2 ** 32; bits += STEP) {
    bitsView[0] = bits;
    const value = floatView[0] ?? NaN;
    if (Number.isFinite(value)) yield value;
  }
}

/** Size of one unit in the last place of a float32 near `value` (a double, in the normal range). */
function ulpOf(value: number): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23);
}

/** Largest error in ULP of the exact result, where that is a normal float32. */
function worstUlp(approximation: (x: number) => number, exact: (x: number) => number): number {
  let worst = 0;
  for (const x of sampledFloats()) {
    const truth = exact(x);
    if (Math.abs(truth) < MIN_NORMAL || Math.abs(truth) >= 2 ** 128) continue;
    worst = Math.max(worst, Math.abs(approximation(x) - truth) / ulpOf(truth));
  }
  return worst;
}

describe('expF32', () => {
  it('is within 1 ULP of e^x wherever the result is a normal number', () => {
    expect(worstUlp(expF32, Math.exp)).toBeLessThan(1);
  });

  it('overflows to infinity, flushes to zero and passes NaN', () => {
    expect([expF32(89), expF32(Infinity), expF32(-88), expF32(-Infinity), expF32(0)]).toEqual([
      Infinity,
      Infinity,
      0,
      0,
      1,
    ]);
    expect(expF32(NaN)).toBeNaN();
  });
});

describe('logisticF32', () => {
  it('is within 2 ULP of 1/(1+e^-x) from -9 up, and equals e^x below', () => {
    const exact = (x: number): number => (x < -9 ? 0 : 1 / (1 + Math.exp(-x)));
    expect(worstUlp(logisticF32, exact)).toBeLessThan(2);
    for (const x of [-9.5, -20, -80]) expect(logisticF32(x)).toBe(expF32(x));
  });
});

describe('tanhF32', () => {
  it('is within 1.5 ULP of tanh', () => {
    expect(worstUlp(tanhF32, Math.tanh)).toBeLessThan(1.5);
  });

  it('saturates at 1 and -1 and passes NaN', () => {
    expect([tanhF32(10), tanhF32(-10), tanhF32(Infinity), tanhF32(-Infinity)]).toEqual([1, -1, 1, -1]);
    expect(tanhF32(NaN)).toBeNaN();
  });
});
