/**
 * The everyday cases of double-precision arithmetic with the host's: rounding to nearest, no flush-to-zero, finite operands far from overflow
 * and underflow, so that INEXACT is the only flag that can be raised. Whether a result is exact is told by error-free transformations:
 * Knuth's sum, Dekker's product. A fused sum is rounded to odd before its last addition (Boldo and Melquiond, 2008).
 */
import type { FpFunction } from './ir.ts';
import { RMODE_OR_FZ, sumError, toOdd } from './soft-float-fast.ts';

/** Between these, no product, nor the error of one, leaves the normal range. */
const OPERAND_MIN = 2 ** -400;
const OPERAND_MAX = 2 ** 400;
const SAFE_MIN = 2 ** -1021;
const SAFE_MAX = 2 ** 1022;
const SINGLE_MIN = 2 ** -125;
const SINGLE_MAX = 2 ** 127;
/** 2^27 + 1: halves a 53-bit significand. */
const SPLITTER = 134217729;
const RESULT = 3;
const RESULT_WORD = 6;

const isModerate = (x: number): boolean => Math.abs(x) >= OPERAND_MIN && Math.abs(x) <= OPERAND_MAX;

/** What the product x * y = product lost (Dekker). */
function productError(x: number, y: number, product: number): number {
  const [p, q] = [SPLITTER * x, SPLITTER * y];
  const [xHigh, yHigh] = [p - (p - x), q - (q - y)];
  const [xLow, yLow] = [x - xHigh, y - yHigh];
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

interface FastDouble {
  readonly inexact: boolean;
}
const EXACT: FastDouble = { inexact: false };
const INEXACT: FastDouble = { inexact: true };

/**
 * Puts the result where SoftFloat has it, or returns null where the exact path must decide.
 * @param doubles three operands and the result; @param words the same as pairs of words
 */
export function fastDouble(fn: FpFunction, doubles: Float64Array, words: Int32Array, fpscr: number): FastDouble | null {
  if ((fpscr & RMODE_OR_FZ) !== 0) return null;
  const [x = 0, y = 0, z = 0] = doubles;
  switch (fn) {
    case 'fusedMultiplyAdd':
      return fused(x, y, z, doubles);
    case 'fromSigned':
      doubles[RESULT] = words[0]!;
      return EXACT;
    case 'fromUnsigned':
      doubles[RESULT] = words[0]! >>> 0;
      return EXACT;
    case 'toSignedTruncating': {
      if (!(Math.abs(x) < 2 ** 31)) return null;
      const integer = Math.trunc(x);
      words[RESULT_WORD] = integer;
      return integer === x ? EXACT : INEXACT;
    }
    case 'toSingle': {
      const single = Math.fround(x);
      if (!(Math.abs(single) >= SINGLE_MIN && Math.abs(single) <= SINGLE_MAX)) return null;
      singleBits[0] = single;
      words[RESULT_WORD] = singleWord[0]!;
      return single === x ? EXACT : INEXACT;
    }
    case 'fromSingle': {
      singleWord[0] = words[0]!;
      const single = singleBits[0]!;
      if (!(Math.abs(single) < Infinity)) return null;
      doubles[RESULT] = single;
      return EXACT;
    }
    case 'compare':
      if (Number.isNaN(x) || Number.isNaN(y)) return null;
      words[RESULT_WORD] = x === y ? 0x6000_0000 : x < y ? 0x8000_0000 | 0 : 0x2000_0000;
      return EXACT;
    default:
      return arithmetic(fn, x, y, doubles);
  }
}

const singleWord = new Int32Array(1);
const singleBits = new Float32Array(singleWord.buffer);

function arithmetic(fn: FpFunction, x: number, y: number, doubles: Float64Array): FastDouble | null {
  let result: number;
  let lost: boolean;
  switch (fn) {
    case 'add':
    case 'subtract': {
      const addend = fn === 'add' ? y : -y;
      result = x + addend;
      const error = sumError(x, addend, result);
      lost = error !== 0;
      if (result === 0 && error === 0) {
        doubles[RESULT] = result;
        return EXACT;
      }
      break;
    }
    case 'multiply':
      result = x * y;
      if (result === 0 && (x === 0 || y === 0)) {
        doubles[RESULT] = result;
        return EXACT;
      }
      if (!isModerate(x) || !isModerate(y)) return null;
      lost = productError(x, y, result) !== 0;
      break;
    case 'divide':
      if (!isModerate(x) || !isModerate(y)) return null;
      result = x / y;
      lost = differsFromProduct(result, y, x);
      break;
    case 'squareRoot':
      if (!(x >= OPERAND_MIN && x <= OPERAND_MAX)) return null;
      result = Math.sqrt(x);
      lost = differsFromProduct(result, result, x);
      break;
    default:
      return null;
  }
  if (!(Math.abs(result) >= SAFE_MIN && Math.abs(result) <= SAFE_MAX)) return null;
  doubles[RESULT] = result;
  return lost ? INEXACT : EXACT;
}

/** Whether x * y is not exactly `product`. */
function differsFromProduct(x: number, y: number, product: number): boolean {
  const rounded = x * y;
  return rounded !== product || productError(x, y, rounded) !== 0;
}

function fused(a: number, b: number, c: number, doubles: Float64Array): FastDouble | null {
  const result = fusedNumber(a, b, c);
  if (result === null) return null;
  doubles[RESULT] = result.value;
  return result.inexact ? INEXACT : EXACT;
}

/** a * b + c rounded once, and whether that lost anything; null where it could overflow, underflow or be zero. */
function fusedNumber(a: number, b: number, c: number): { value: number; inexact: boolean } | null {
  if (!isModerate(a) || !isModerate(b) || !(c === 0 || (Math.abs(c) >= SAFE_MIN * 2 ** 110 && Math.abs(c) <= 2 ** 900)))
    return null;
  const high = a * b;
  const low = productError(a, b, high);
  const lower = c + low;
  const lowerError = sumError(c, low, lower);
  const upper = high + lower;
  const upperError = sumError(high, lower, upper);
  const rest = lowerError + upperError;
  const restError = sumError(lowerError, upperError, rest);
  const tail = toOdd(rest, restError);
  const value = upper + tail;
  if (!(Math.abs(value) >= OPERAND_MIN ** 2)) return null;
  return { value, inexact: restError !== 0 || sumError(upper, tail, value) !== 0 };
}
