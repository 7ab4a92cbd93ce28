/**
 * gemmlowp's fixed-point transcendental functions on int32 raw values, bit for bit: exp on negative values (Taylor polynomial on
 * [-1/4, 0), then a barrel shifter of constants), 1/(1+x) and (1-x)/(1+x) by three Newton steps, and logistic and tanh from them.
 * "Qm" is an int32 with m integer bits and 31-m fraction bits. Semantics: gemmlowp 16e8662, fixedpoint/fixedpoint.h.
 */
import {
  INT32_MAX,
  INT32_MIN,
  roundingDivideByPOT,
  saturatingRoundingDoublingHighMul as mul,
} from '../ir/quantized-math.ts';

/** x * 2^exponent, saturated to int32; exponent >= 1. */
function saturatingShiftLeft(x: number, exponent: number): number {
  const threshold = 2 ** (31 - exponent) - 1;
  if (x > threshold) return INT32_MAX;
  if (x < -threshold) return INT32_MIN;
  return x << exponent;
}

/** exp(a) for a in [-1/4, 0), Q0 to Q0: expansion around -1/8. */
function expBetweenNegativeQuarterAndZero(a: number): number {
  const EXP_MINUS_EIGHTH = 1895147668;
  const ONE_THIRD = 715827883;
  const x = (a + (1 << 28)) | 0;
  const x2 = mul(x, x);
  const x3 = mul(x2, x);
  const x4 = mul(x2, x2);
  const x4Over4 = roundingDivideByPOT(x4, 2);
  const higherTerms = roundingDivideByPOT((mul((x4Over4 + x3) | 0, ONE_THIRD) + x2) | 0, 1);
  return (EXP_MINUS_EIGHTH + mul(EXP_MINUS_EIGHTH, (x + higherTerms) | 0)) | 0;
}

/** exp(-2^k) in Q0 for k = -2 .. 4. */
const EXP_OF_MINUS_POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** exp(a) for a <= 0 given in Q`integerBits` (at most 5); the result is Q0, exp(0) = INT32_MAX. */
export function expOnNegativeValues(a: number, integerBits: number): number {
  if (a === 0) return INT32_MAX;
  const fractionBits = 31 - integerBits;
  const oneQuarter = 1 << (fractionBits - 2);
  const aModQuarterMinusQuarter = ((a & (oneQuarter - 1)) - oneQuarter) | 0;
  let result = expBetweenNegativeQuarterAndZero(saturatingShiftLeft(aModQuarterMinusQuarter, integerBits));
  const remainder = (aModQuarterMinusQuarter - a) | 0;
  for (let exponent = -2; exponent < integerBits; exponent++) {
    if (remainder & (1 << (fractionBits + exponent))) {
      result = mul(result, EXP_OF_MINUS_POWERS[exponent + 2] as number);
    }
  }
  return result;
}

/** Newton-Raphson for 1 / ((1 + a) / 2), a in (0, 1) Q0; result in Q2. */
function reciprocalOfHalfSum(a: number): number {
  const CONSTANT_48_OVER_17 = 1515870810;
  const CONSTANT_NEG_32_OVER_17 = -1010580540;
  // RoundingHalfSum(a, One): both are non-negative, so this is (a + 1 + sum) / 2 truncated.
  const halfDenominator = Math.floor((a + INT32_MAX + 1) / 2);
  let x = (CONSTANT_48_OVER_17 + mul(halfDenominator, CONSTANT_NEG_32_OVER_17)) | 0;
  for (let i = 0; i < 3; i++) {
    const oneMinus = ((1 << 29) - mul(halfDenominator, x)) | 0;
    x = (x + saturatingShiftLeft(mul(x, oneMinus), 2)) | 0;
  }
  return x;
}

/** 1 / (1 + a) for a in (0, 1), Q0 to Q0. */
export function oneOverOnePlusX(a: number): number {
  return saturatingShiftLeft(reciprocalOfHalfSum(a), 1);
}

/** (1 - a) / (1 + a) for a in (0, 1), Q0 to Q0. */
function oneMinusXOverOnePlusX(a: number): number {
  return saturatingShiftLeft((reciprocalOfHalfSum(a) - (1 << 29)) | 0, 2);
}

/** logistic(a), Q4 to Q0. */
export function logisticQ4(a: number): number {
  if (a === 0) return 1 << 30;
  const magnitude = a > 0 ? a : -a | 0;
  const positive = oneOverOnePlusX(expOnNegativeValues(-magnitude | 0, 4));
  return a > 0 ? positive : (INT32_MAX - positive) | 0;
}

/** tanh(a), Q4 to Q0. */
export function tanhQ4(a: number): number {
  if (a === 0) return 0;
  const negative = a < 0 ? a : -a | 0;
  // The same raw value read as Q5 is twice the argument.
  const t = oneMinusXOverOnePlusX(expOnNegativeValues(negative, 5));
  return a < 0 ? -t | 0 : t;
}

/** 1/x for x > 0 in Q`integerDigits`, as a Q0 mantissa with x's excess bits over one. */
export function reciprocal(x: number, integerDigits: number): { scale: number; bitsOverUnit: number } {
  const headroomPlusOne = Math.clz32(x);
  const shiftedMinusOne = ((x << headroomPlusOne) - INT32_MIN) | 0;
  return { scale: oneOverOnePlusX(shiftedMinusOne), bitsOverUnit: integerDigits - headroomPlusOne };
}
