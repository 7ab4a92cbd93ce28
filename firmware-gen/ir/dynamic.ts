/**
 * Dynamic fixed point: scales found at run time, layer by layer, in integers only, so that reference and C kernels agree to the bit. This
 * is the arithmetic per layer (docs/dynamic-quantization.md); 64-bit products are BigInt here and uint64_t in kernels/include/tl_dynamic_support.h.
 */
import { assert } from '../../common/errors.ts';
import type { SoftmaxParams } from './op-params.ts';
import type { QuantizedMultiplier } from './quantized-math.ts';

export type DynamicScheme = 'q' | 'asym';
/** How a layer learns its range; see docs/dynamic-quantization.md. */
export type DynamicForm = 'full' | 'rows' | 'recompute' | 'predicted';

/** A tensor's scale as it lies in memory, int32[3]: real = multiplier * 2^(shift - 31) * (q - zeroPoint), multiplier in [2^30, 2^31). */
export interface RunScale {
  readonly multiplier: number;
  readonly shift: number;
  readonly zeroPoint: number;
}

export const SCALE_WORDS = 3;
/** State of a layer with predicted ranges, int32[4]: low, high, multiplier and shift of what they count in. */
export const STATE_WORDS = 4;
/** |accumulator| of packed kernels, biases included, stays below this: 256 times it fits int32, and products with 2^30 fit a double. */
export const DYNAMIC_SUM_LIMIT = 2 ** 23 - 1024;
/** Accumulators are aligned to the layer's largest weight scale and then counted in units of 1/64. */
export const ALIGNED_FRACTION_BITS = 6;
const INT32_MAX = 2 ** 31 - 1;
/** Shifts of the Q scheme: below 2 the multiplier 2^(32 - s) leaves int32. */
const SHIFT_MIN = 2;
const SHIFT_MAX = 30;
const RANGE_MAX = 2 ** 30;

/** What activations of a width can hold; 16 bits are symmetric in both schemes. */
export interface Levels {
  readonly min: number;
  readonly max: number;
  /** Q: bits of the largest magnitude. */
  readonly bits: number;
  /** asym: steps from the lower end of a range to the upper, and what the lower end becomes. */
  readonly span: number;
  readonly first: number;
  /** asym: smallest range; span * 2^32 / range stays within int32. */
  readonly leastRange: number;
}

export const LEVELS_8: Levels = { min: -128, max: 127, bits: 7, span: 255, first: -128, leastRange: 512 };
/** A range is 0 and the largest magnitude. */
export const LEVELS_16: Levels = { min: -32768, max: 32767, bits: 15, span: 32767, first: 0, leastRange: 2 ** 16 };

export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** `value` > 0 as multiplier and shift, rounded to nearest; `isPowerOfTwo`: rounded up to one. */
export function runScale(value: number, zeroPoint = 0, isPowerOfTwo = false): RunScale {
  assert(value > 0 && Number.isFinite(value), `scale ${value}`);
  let exponent = Math.floor(Math.log2(value));
  while (2 ** exponent > value) exponent -= 1;
  while (2 ** (exponent + 1) <= value) exponent += 1;
  if (isPowerOfTwo)
    return { multiplier: 2 ** 30, shift: 2 ** exponent === value ? exponent + 1 : exponent + 2, zeroPoint };
  const multiplier = Math.round(value * 2 ** (30 - exponent));
  if (multiplier === 2 ** 31) return { multiplier: 2 ** 30, shift: exponent + 2, zeroPoint };
  return { multiplier, shift: exponent + 1, zeroPoint };
}

export function realScale({ multiplier, shift }: Pick<RunScale, 'multiplier' | 'shift'>): number {
  return multiplier * 2 ** (shift - 31);
}

/** round(a * b / 2^32), ties up: SMMULR. |a| <= 2^31, |b| < 2^31. */
export function highMultiply(a: number, b: number): number {
  const carry = Math.floor((a * (b & 0x7fff) + 2 ** 31) / 2 ** 15);
  return Math.floor((a * (b >> 15) + carry) / 2 ** 17);
}

/** Scale of the aligned accumulators: input scale * largest weight scale / 64. */
export function accumulatorScale(input: RunScale, weights: RunScale): RunScale {
  const product = BigInt(input.multiplier) * BigInt(weights.multiplier);
  const bits = bitLength(product);
  const multiplier = Number(product >> BigInt(bits - 31));
  return { multiplier, shift: bits - 62 + input.shift + weights.shift - ALIGNED_FRACTION_BITS, zeroPoint: 0 };
}

function reciprocal(multiplier: number): bigint {
  return (1n << 61n) / BigInt(multiplier);
}

/** A stored bias, in steps of weight scale * 2^-exponent, as accumulator steps; what is kept of them in 32 bits is the kernels' matter. */
export function runBias(bias: number, exponent: number, input: RunScale): number {
  const shift = Math.min(Math.max(30 + input.shift + exponent, 1), 62);
  const rounding = 1n << BigInt(shift - 1);
  return Number((BigInt(bias) * reciprocal(input.multiplier) + rounding) >> BigInt(shift));
}

/** A real bound (6 of RELU6) in units of the accumulators, at most RANGE_MAX. */
export function boundInUnits(bound: number, scale: RunScale): number {
  const shift = 30 + scale.shift;
  const value = BigInt(bound) * reciprocal(scale.multiplier);
  if (shift <= 1) return RANGE_MAX;
  const units = shift > 62 ? 0n : value >> BigInt(shift);
  return units > BigInt(RANGE_MAX) ? RANGE_MAX : Number(units);
}

/** value * from / to, floor, within +-2^29. */
export function rescaleUnits(value: number, from: RunScale, to: RunScale): number {
  const ratio = (BigInt(from.multiplier) << 30n) / BigInt(to.multiplier);
  const shift = 30 - (from.shift - to.shift);
  const limit = 2n ** 29n;
  if (value === 0) return 0;
  if (shift <= 0) return value < 0 ? -Number(limit) : Number(limit);
  const scaled = (BigInt(value) * ratio) >> BigInt(Math.min(shift, 63));
  return Number(scaled > limit ? limit : scaled < -limit ? -limit : scaled);
}

/** How accumulators become int8: q = saturate(round(a * multiplier / 2^32) + zeroPoint), for a in low..high. */
export interface Requantizer {
  readonly scheme: DynamicScheme;
  readonly low: number;
  readonly high: number;
  /** Q: 2^shift. asym: high - low. What scales of two requantizers are compared by. */
  readonly range: number;
  readonly multiplier: number;
  readonly zeroPoint: number;
  readonly levels: Levels;
}

/** Least range that a layer's output may get: Q a shift, asym a width, in accumulator units. */
export function leastRange(
  scheme: DynamicScheme,
  least: RunScale | null,
  accumulators: RunScale,
  levels = LEVELS_8,
): number {
  if (scheme === 'q')
    return Math.min(Math.max(SHIFT_MIN, least === null ? 0 : least.shift - accumulators.shift), SHIFT_MAX);
  if (least === null) return levels.leastRange;
  const ratio = BigInt(levels.span) * ((BigInt(least.multiplier) << 30n) / BigInt(accumulators.multiplier));
  const shift = 30 - (least.shift - accumulators.shift);
  if (shift <= 0) return 2 ** 29;
  const range = Number(shift > 62 ? 0n : ratio >> BigInt(shift)) + 1;
  return Math.min(Math.max(levels.leastRange, range), 2 ** 29);
}

/** @param low,high least and largest accumulator, low <= 0 <= high; Q: high holds the bits of all magnitudes, low is 0 */
export function chooseRequantizer(
  scheme: DynamicScheme,
  low: number,
  high: number,
  least: number,
  levels = LEVELS_8,
): Requantizer {
  if (scheme === 'q') {
    const shift = Math.min(Math.max(32 - Math.clz32(high) - levels.bits, least), SHIFT_MAX);
    const top = Math.min(2 ** (shift + levels.bits) - 1, INT32_MAX);
    return { scheme, low: 0, high: top, range: 2 ** shift, multiplier: 2 ** (32 - shift), zeroPoint: 0, levels };
  }
  const top = high - low < least ? low + least : high;
  const range = top - low;
  const multiplier = Number((BigInt(levels.span) << 32n) / BigInt(range));
  const zeroPoint = levels.first - highMultiply(low, multiplier);
  return { scheme, low, high: top, range, multiplier, zeroPoint, levels };
}

/** A wider requantizer that covers what has been seen; asym leaves room, so that ranges do not creep. */
export function growRequantizer(
  old: Requantizer,
  low: number,
  high: number,
  upper: number,
  least: number,
): Requantizer {
  if (old.scheme === 'q') return chooseRequantizer('q', 0, high, least);
  const [from, to] = [Math.min(old.low, low), Math.max(old.high, high)];
  const margin = (to - from) >> 3;
  return chooseRequantizer('asym', from < 0 ? from - margin : from, Math.min(to + margin, Math.max(to, upper)), least);
}

/** Values already written with `old`, as `next` has them: saturate(round((q - old zero) * ratio / 2^30) + next zero). */
export function realignRatio(old: Requantizer, next: Requantizer): number {
  return Number((BigInt(old.range) << 30n) / BigInt(next.range));
}

export function requantizeUnits({ multiplier, zeroPoint, levels }: Requantizer, units: number): number {
  return Math.min(Math.max(highMultiply(units, multiplier) + zeroPoint, levels.min), levels.max);
}

/** Scale of the values that `by` makes. */
export function outputScale(by: Requantizer, accumulators: RunScale): RunScale {
  if (by.scheme === 'q') {
    const { multiplier, shift } = accumulators;
    return { multiplier, shift: shift + Math.log2(by.range), zeroPoint: 0 };
  }
  const product = (BigInt(accumulators.multiplier) * BigInt(by.range)) / BigInt(by.levels.span);
  const bits = bitLength(product);
  const multiplier = Number(product >> BigInt(bits - 31));
  return { multiplier, shift: accumulators.shift + bits - 31, zeroPoint: by.zeroPoint };
}

/** Scale of the input for one frame of real values: Q a power of two that holds the largest magnitude, asym its range (16 bits: magnitude). */
export function scaleForValues(
  scheme: DynamicScheme,
  values: ArrayLike<number>,
  least: number,
  levels = LEVELS_8,
): RunScale {
  let [low, high] = [0, 0];
  for (let i = 0; i < values.length; i += 1) {
    low = Math.min(low, values[i] as number);
    high = Math.max(high, values[i] as number);
  }
  const largest = Math.max(-low, high);
  if (scheme === 'q') return runScale(Math.max(largest / (levels.max + 0.5), least), 0, true);
  if (levels.first === 0) return runScale(Math.max(largest / levels.span, least));
  const scale = Math.max((high - low) / levels.span, least);
  // Adding 0 makes the negative zero that Math.round gives an ordinary one.
  return runScale(scale, Math.min(127, Math.max(-128, Math.round(-128 - low / scale))) + 0);
}

/** SOFTMAX's parameters for a scale found at run time, beta 1: differences become Q5.26, saturated as TFLite's are. */
export function dynamicSoftmaxParams(scale: RunScale): SoftmaxParams {
  const leftShift = scale.shift + 26;
  if (leftShift > 31) return { multiplier: INT32_MAX, leftShift: 31, diffMin: 0 };
  assert(leftShift >= 0, `SOFTMAX: input scale ${realScale(scale)} is below 2^-26`);
  return { multiplier: scale.multiplier, leftShift, diffMin: -Math.floor((31 * 2 ** 26) / 2 ** leftShift) };
}

/** The same for int16: TFLite's multiplier, input scale * 65535 / 10. One over 2^15 would leave 32 bits: the largest logit takes all anyway. */
export function dynamicSoftmaxMultiplier(scale: RunScale): QuantizedMultiplier {
  const product = BigInt(scale.multiplier) * 13107n;
  const bits = bitLength(product);
  const shift = bits + scale.shift - 32;
  if (shift > 15) return { multiplier: INT32_MAX, shift: 15 };
  assert(shift >= -31, `SOFTMAX: input scale ${realScale(scale)} is below 2^-26`);
  return { multiplier: Number(product >> BigInt(bits - 31)), shift };
}

/** Finest scale of a SOFTMAX's input. */
export const SOFTMAX_LEAST_SCALE = 2 ** -25;
