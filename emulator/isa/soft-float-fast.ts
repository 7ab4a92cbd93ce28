/**
 * The everyday cases of single-precision arithmetic, with the host's: rounding to nearest, no flush-to-zero, finite operands, result zero
 * or well inside the normal range, so that INEXACT is the only flag that can be raised. Doubles carry enough bits that rounding a sum,
 * product, quotient or root twice changes nothing (53 >= 2*24 + 2); a fused sum is first rounded to odd.
 */
import type { FpFunction } from './ir.ts';

export const RMODE_OR_FZ = 0x01c0_0000;
const INEXACT = 16;
/** Twice the smallest normal number: below it, a result may have been tiny before rounding. */
const SAFE_MIN = 2 ** -125;
const SAFE_MAX = 2 ** 127;

const words = new Int32Array(3);
const singles = new Float32Array(words.buffer);
const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

export interface FastResult {
  readonly bits: number;
  readonly inexact: boolean;
}

function isSafe(result: number): boolean {
  const magnitude = Math.abs(result);
  return magnitude >= SAFE_MIN && magnitude <= SAFE_MAX;
}

/** What a double sum x + y = sum lost (Knuth's two-sum). */
export function sumError(x: number, y: number, sum: number): number {
  const part = sum - x;
  return x - (sum - part) + (y - part);
}

/** Rounds to odd: with an error, the last bit of the double is set, so that the rounding to single sees it. */
export function toOdd(sum: number, error: number): number {
  if (error === 0) return sum;
  double[0] = sum;
  if (((doubleWords[0] ?? 0) & 1) !== 0) return sum;
  // One step towards the lost part; the even last bit makes both neighbours odd.
  const outwards = error > 0 === sum > 0;
  if (outwards) doubleWords[0] = (doubleWords[0] ?? 0) | 1;
  else if (doubleWords[0] === 0) {
    doubleWords[0] = 0xffff_ffff;
    doubleWords[1] = (doubleWords[1] ?? 0) - 1;
  } else doubleWords[0] = (doubleWords[0] ?? 0) - 1;
  return double[0] ?? 0;
}

function pack(result: number, inexact: boolean): FastResult {
  singles[0] = result;
  return { bits: words[0] ?? 0, inexact };
}

/** The result, or null where the exact path must decide. */
export function fastResult(fn: FpFunction, a: number, b: number, c: number, fpscr: number): FastResult | null {
  if ((fpscr & RMODE_OR_FZ) !== 0) return null;
  const known = (fpscr & INEXACT) !== 0;
  if (fn === 'fromSigned' || fn === 'fromUnsigned') {
    const value = fn === 'fromSigned' ? a | 0 : a >>> 0;
    return pack(value, Math.fround(value) !== value);
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  const [x = 0, y = 0, z = 0] = singles;
  let exact: number;
  let error = 0;
  switch (fn) {
    case 'add':
      exact = x + y;
      error = sumError(x, y, exact);
      break;
    case 'subtract':
      exact = x - y;
      error = sumError(x, -y, exact);
      break;
    case 'multiply':
      exact = x * y;
      // An exact zero; anything else this small has underflowed.
      if (exact === 0 && (x === 0 || y === 0)) return pack(exact, false);
      break;
    case 'divide': {
      const quotient = Math.fround(x / y);
      return isSafe(quotient) ? pack(quotient, !known && quotient * y !== x) : null;
    }
    case 'squareRoot': {
      const root = Math.fround(Math.sqrt(x));
      return isSafe(root) ? pack(root, !known && root * root !== x) : null;
    }
    case 'fusedMultiplyAdd': {
      const product = x * y;
      const sum = product + z;
      error = sumError(product, z, sum);
      exact = toOdd(sum, error);
      break;
    }
    default:
      return null;
  }
  const result = Math.fround(exact);
  if (result === 0 && fn !== 'multiply' && exact === 0 && error === 0) return pack(result, false);
  return isSafe(result) ? pack(result, error !== 0 || result !== exact) : null;
}
