/**
 * Training of a classifier's last dense layers on the device: what it works on, and its rounding. The twins of kernels/include/tl_adaptation.h,
 * bit for bit, are here and beside this file.
 */

import type { AdaptLayer, ScaleWords, Weights16 } from '../../ir/adaptation.ts';

/** Steps of int16 features per step of the calibrated int8 ones. */
export const STEPS = 16;
export const BIAS_INPUT = 64 * STEPS;
/** Length of unit features, which a cosine head learns with: their largest is as large as that of others. */
export const UNIT_LENGTH = 4096;
export const PRODUCT_SHIFT = 3;
/** Bits that dynamic gradients and deltas are brought to, sign not counted. */
export const BITS = 15;

/** rate > 0, below 2^14, as mantissa in [2^14, 2^15) and shift; its relative error is below 2^-14. */
export function rateOf(rate: number): Pick<AdaptLayer, 'rateMantissa' | 'rateShift'> {
  let shift = -14;
  while (rate * 2 ** shift < 0.5 && shift < 40) shift += 1;
  return { rateMantissa: Math.min(32767, Math.round(rate * 2 ** (15 + shift))), rateShift: shift };
}

const f = Math.fround;

/** tl_adapt_weights_s16: float32 weights as 16 bit with one exponent; `headroom` bits stay free for what is learned. */
export function weights16(real: Float32Array, headroom: number): Weights16 {
  const largest = real.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let exponent = 40;
  while (exponent > 0 && f(largest * 2 ** exponent) >= 2 ** (15 - headroom)) exponent -= 1;
  const weights = Int16Array.from(real, (weight) => {
    const value = f(weight * 2 ** exponent);
    if (value >= 32766.5) return 32767;
    if (!(value > -32767.5)) return -32768;
    return Math.trunc(f(value < 0 ? value - 0.5 : value + 0.5));
  });
  return { exponent, weights };
}

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
export const clamp16 = (value: number): number => clamp(value, -32768, 32767);

export const INT32_LIMIT = 2147483647;

/** value * 2^-shift, rounded to nearest with ties up, saturated. |value| below 2^52. */
export function scaled(value: number, shift: number): number {
  if (shift > 62) return 0;
  // A half is only exact beside the value below 2^52; beyond that the value is less than half of a step.
  if (shift > 53) return 0;
  const result = shift > 0 ? Math.floor((value + 2 ** (shift - 1)) / 2 ** shift) : value * 2 ** -shift;
  return clamp(result, -INT32_LIMIT, INT32_LIMIT) + 0;
}

/** The same for larger values. */
export function scaledBig(value: bigint, shift: number): number {
  if (shift > 62) return 0;
  const result = shift > 0 ? (value + (1n << BigInt(shift - 1))) >> BigInt(shift) : value << BigInt(-shift);
  const limit = BigInt(INT32_LIMIT);
  return Number(result > limit ? limit : result < -limit ? -limit : result);
}

/** Right shift after which values whose magnitudes' bits are `any` have at most `bits` bits. */
export const shiftTo = (any: number, bits: number): number => Math.max(0, 32 - Math.clz32(any) - bits);

export const magnitudeBits = (value: number): number => value ^ (value >> 31);

/** One output of a layer: the sum of weights and inputs, the bias included. */
export function layerSum({ size }: AdaptLayer, weights: Int16Array, output: number, inputs: Int16Array): number {
  const row = output * (size + 1);
  let sum = weights[row + size]! * BIAS_INPUT;
  for (let i = 0; i < size; i += 1) sum += weights[row + i]! * inputs[i]!;
  return sum;
}

/** int8 features in the scale that they have now as int16 ones of the fixed step. @param inverse 1 / step */
export function adaptFeatures(
  phi: Int8Array,
  scale: ScaleWords & { zeroPoint: number },
  inverse: ScaleWords,
): Int16Array {
  const ratio = Number((BigInt(scale.multiplier) * BigInt(inverse.multiplier)) >> 31n);
  const shift = 31 - scale.shift - inverse.shift;
  return Int16Array.from(phi, (value) => clamp16(scaled((value - scale.zeroPoint) * ratio, shift)));
}

/** int8 features scaled to length UNIT_LENGTH, but for what the rounded-down root adds; zero stays zero. @param offset -(zero point) */
export function adaptUnitFeatures(phi: Int8Array, offset: number): Int16Array {
  const squares = phi.reduce((sum, value) => sum + (value + offset) ** 2, 0);
  const norm = Math.max(1, Math.floor(Math.sqrt(squares)));
  const ratio = Math.floor((UNIT_LENGTH * 65536) / norm);
  // |value| <= norm: the product is at most 2^28.
  return Int16Array.from(phi, (value) => ((value + offset) * ratio + 32768) >> 16);
}
