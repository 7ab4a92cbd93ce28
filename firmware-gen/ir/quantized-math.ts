/**
 * TFLite's fixed-point arithmetic, exactly: QuantizeMultiplier, the double-rounding MultiplyByQuantizedMultiplier that TFLite Micro
 * builds by default (gemmlowp's SaturatingRoundingDoublingHighMul, then RoundingDivideByPOT), and its 64-bit-accumulator form for
 * int16x8. Products of two int32 do not fit a double, so each is split into parts that do; no BigInt, every step is exact.
 * Semantics: tflite-micro 90b983c, kernels/internal/{common.cc,quantization_util.cc} and gemmlowp fixedpoint.h.
 */
import { assert, UserError } from '../../common/errors.ts';
import type { Activation, DType } from './graph.ts';

export const INT32_MIN = -2147483648;
export const INT32_MAX = 2147483647;
const TWO_31 = 2147483648;

/** real = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0; shift > 0 is a left shift. */
export interface QuantizedMultiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** C's round(): half away from zero. Math.round takes halves up, and x + 0.5 rounds up the largest double below 0.5. */
export function roundHalfAwayFromZero(value: number): number {
  const magnitude = Math.abs(value);
  const floor = Math.floor(magnitude);
  const rounded = magnitude - floor >= 0.5 ? floor + 1 : floor;
  return value < 0 ? -rounded : rounded;
}

/** C's frexp: value = fraction * 2^exponent with |fraction| in [0.5, 1); zero gives 0 and 0. `value` must be finite. */
export function frexp(value: number): { fraction: number; exponent: number } {
  assert(Number.isFinite(value), `frexp of ${value}`);
  if (value === 0) return { fraction: 0, exponent: 0 };
  const view = new DataView(new ArrayBuffer(8));
  // Subnormals have no implicit leading bit: bring them into the normal range first.
  const subnormal = Math.abs(value) < 2 ** -1022;
  view.setFloat64(0, subnormal ? value * 2 ** 54 : value);
  const high = view.getUint32(0);
  const exponent = ((high >>> 20) & 0x7ff) - 1022 - (subnormal ? 54 : 0);
  view.setUint32(0, ((high & 0x800fffff) | (1022 << 20)) >>> 0);
  return { fraction: view.getFloat64(0), exponent };
}

/**
 * TFLite's QuantizeMultiplier. `real` is any finite double, in practice > 0. Below 2^-32 the result is {0, 0}; shifts above 30 come
 * back as they are and the caller refuses them (multiplyByQuantizedMultiplier takes -31..31).
 */
export function quantizeMultiplier(real: number): QuantizedMultiplier {
  if (real === 0) return { multiplier: 0, shift: 0 };
  const { fraction, exponent } = frexp(real);
  let multiplier = roundHalfAwayFromZero(fraction * TWO_31);
  let shift = exponent;
  if (multiplier === TWO_31) {
    multiplier /= 2;
    shift += 1;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  return { multiplier, shift };
}

/**
 * High 32 bits of 2*a*b, rounded to nearest, ties up; a and b are int32. gemmlowp nudges by 2^30 or 1 - 2^30 and divides truncating,
 * which for both signs is floor((a*b + 2^30) / 2^31). Only INT32_MIN * INT32_MIN overflows, and saturates.
 */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  // b = bHigh * 2^15 + bLow; |a * bHigh| <= 2^47 and |a * bLow| < 2^46 are exact, and floor nests over an integer addend.
  const bHigh = b >> 15;
  const bLow = b & 0x7fff;
  const carry = Math.floor((a * bLow + 1073741824) / 32768);
  return Math.floor((a * bHigh + carry) / 65536) | 0;
}

/** x / 2^exponent rounded to nearest, ties away from zero; x int32, exponent 0..31. */
export function roundingDivideByPOT(x: number, exponent: number): number {
  const mask = exponent === 31 ? 0x7fffffff : (1 << exponent) - 1;
  const remainder = x & mask;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/**
 * x * multiplier * 2^(shift - 31) in int32 with two roundings, as TFLite Micro's default build. x int32, shift -31..30. The left
 * shift wraps to 32 bits, as the C does on every target TFLite supports.
 */
export function multiplyByQuantizedMultiplier(x: number, multiplier: number, shift: number): number {
  if (shift > 0) return saturatingRoundingDoublingHighMul(x << shift, multiplier);
  return roundingDivideByPOT(saturatingRoundingDoublingHighMul(x, multiplier), -shift);
}

/** The 16-bit multiplier the 64-bit form uses: the upper half of the 32-bit one, rounded, capped at 0x7fff. */
export function reducedMultiplier(multiplier: number): number {
  return multiplier < 0x7fff0000 ? (multiplier + 0x8000) >> 16 : 0x7fff;
}

/**
 * MultiplyByQuantizedMultiplier for a 64-bit accumulator (int16 activations, int64 bias): one rounding, ties up, with the multiplier
 * reduced to 16 bits. x is an integer in [-2^47, 2^47), shift -31..7. The result is cut to int32 as the C cast does.
 */
export function multiplyByQuantizedMultiplier64(x: number, multiplier: number, shift: number): number {
  const reduced = reducedMultiplier(multiplier);
  const totalShift = 15 - shift;
  // x = xHigh * 2^16 + xLow: both partial products stay below 2^47.
  const xHigh = Math.floor(x / 65536);
  const xLow = x - xHigh * 65536;
  const high = xHigh * reduced;
  const low = xLow * reduced;
  if (totalShift <= 16) {
    const carry = Math.floor((low + 2 ** (totalShift - 1)) / 2 ** totalShift);
    return toInt32(high * 2 ** (16 - totalShift) + carry);
  }
  const sum = high + Math.floor(low / 65536) + 2 ** (totalShift - 17);
  return toInt32(Math.floor(sum / 2 ** (totalShift - 16)));
}

/** Low 32 bits of an integer of at most 2^53 in magnitude, as a signed number. */
function toInt32(value: number): number {
  return value | 0;
}

export interface QuantizedRange {
  readonly min: number;
  readonly max: number;
}

const TYPE_RANGE: Partial<Record<DType, QuantizedRange>> = {
  int8: { min: -128, max: 127 },
  uint8: { min: 0, max: 255 },
  int16: { min: -32768, max: 32767 },
  int32: { min: INT32_MIN, max: INT32_MAX },
};

/** Smallest and largest stored value of an integer type up to 32 bits. */
export function typeRange(dtype: DType): QuantizedRange {
  const range = TYPE_RANGE[dtype];
  assert(range, `no quantized range for ${dtype}`);
  return range;
}

/** Real bounds of an activation; infinities where there is none. */
const ACTIVATION_BOUNDS: Readonly<Record<Activation, readonly [number, number]>> = {
  NONE: [-Infinity, Infinity],
  RELU: [0, Infinity],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/**
 * TFLite's CalculateActivationRangeQuantized: the clamp of an int8, uint8 or int16 output. The division real/scale is a float32
 * division there, so it is one here. Throws UserError if a bound leaves int32, where TFLite refuses the model too.
 */
export function activationRangeQuantized(
  activation: Activation,
  dtype: DType,
  scale: number,
  zeroPoint: number,
): QuantizedRange {
  const range = typeRange(dtype);
  const [low, high] = ACTIVATION_BOUNDS[activation];
  const quantized = (real: number): number => {
    const steps = roundHalfAwayFromZero(Math.fround(real / Math.fround(scale)));
    if (!(Math.abs(steps) < TWO_31)) {
      throw new UserError(`${activation}: ${real} in steps of scale ${scale} leaves int32; requantize the model`);
    }
    return zeroPoint + steps;
  };
  return {
    min: low === -Infinity ? range.min : Math.max(range.min, quantized(low)),
    max: high === Infinity ? range.max : Math.min(range.max, quantized(high)),
  };
}

/** Float clamp of an activation: float32 lowest and max stand for "none", as in TFLite. */
export function activationRangeFloat(activation: Activation): QuantizedRange {
  const FLT_MAX = 3.4028234663852886e38;
  const [low, high] = ACTIVATION_BOUNDS[activation];
  return { min: Math.max(low, -FLT_MAX), max: Math.min(high, FLT_MAX) };
}
