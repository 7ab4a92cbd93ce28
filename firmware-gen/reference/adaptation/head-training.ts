/** Training of a linear head on int8 features, 16-bit static or dynamic or float: the twins of kernels/include/tl_adaptation.h, bit for bit. */
import { exp2Q15 } from '../decision/heads.ts';
import { expF32 } from '../float-math.ts';

export const BIAS_INPUT = 64;

export interface HeadTraining {
  /** Of phi. */
  readonly size: number;
  readonly classes: number;
  /** -(zero point of phi). */
  readonly offset: number;
  /** Rate = mantissa * 2^-(15 + shift). */
  readonly rateMantissa: number;
  readonly rateShift: number;
  readonly biasOnly: boolean;
  readonly isDynamic: boolean;
  /** Static only. */
  readonly gradientShift: number;
}

/** rate > 0 as mantissa in [2^14, 2^15) and shift; its relative error is below 2^-15. */
export function rateOf(rate: number): Pick<HeadTraining, 'rateMantissa' | 'rateShift'> {
  let shift = 0;
  while (rate * 2 ** shift < 0.5 && shift < 40) shift += 1;
  return { rateMantissa: Math.min(32767, Math.round(rate * 2 ** (15 + shift))), rateShift: shift };
}

export interface HeadWeights16 {
  /** weight = mantissa * 2^-exponent. */
  exponent: number;
  /** [classes, size + 1], the last column for the bias. */
  readonly weights: Int16Array;
}

/** Real weights [classes, size + 1] as 16 bit with one exponent; `headroom` bits stay free for what is learned. */
export function headWeights16(real: ArrayLike<number>, headroom: number): HeadWeights16 {
  const largest = Array.from(real).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let exponent = 40;
  while (exponent > 0 && largest * 2 ** exponent >= 2 ** (15 - headroom)) exponent -= 1;
  return { exponent, weights: Int16Array.from(Array.from(real), (value) => Math.round(value * 2 ** exponent)) };
}

const clamp16 = (value: number): number => Math.min(32767, Math.max(-32768, value));

export function adaptScores(params: HeadTraining, { weights }: HeadWeights16, phi: Int8Array): Int32Array {
  const { size, classes, offset } = params;
  return Int32Array.from({ length: classes }, (_, c) => {
    const row = c * (size + 1);
    let sum = weights[row + size]! * BIAS_INPUT;
    for (let i = 0; i < size; i += 1) sum += weights[row + i]! * (phi[i]! + offset);
    return Math.min(2147483647, Math.max(-2147483648, sum));
  });
}

const EXPONENT_STEP = 1477;

/** Adds one sample's gradient, Q15. */
export function adaptAccumulate(
  params: HeadTraining,
  weights: HeadWeights16,
  phi: Int8Array,
  label: number,
  gradient: Int32Array,
): void {
  const { size, classes, offset, biasOnly } = params;
  const logits = adaptScores(params, weights, phi);
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(logits, (logit) => {
    const distance = Math.floor(((largest - logit) * EXPONENT_STEP) / 2 ** weights.exponent);
    return exp2Q15(distance > 16 * 1024 ? -16 * 1024 : -distance);
  });
  const sum = powers.reduce((a, b) => a + b);
  for (let c = 0; c < classes; c += 1) {
    const delta = Math.floor((powers[c]! * 32768) / sum) - (c === label ? 32768 : 0);
    const row = c * (size + 1);
    for (let i = 0; i < size && !biasOnly; i += 1) gradient[row + i]! += delta * (phi[i]! + offset);
    gradient[row + size]! += delta * BIAS_INPUT;
  }
}

/** Marsaglia's xorshift32; never 0. */
export class Xorshift32 {
  state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    let value = this.state;
    value ^= value << 13;
    value ^= value >>> 17;
    value ^= value << 5;
    this.state = value >>> 0;
    return this.state;
  }
}

const STEP_MAX = 1073741823n;
const STEP_MIN = -1073741824n;

function roundedShift(value: bigint, shift: number, random: Xorshift32 | null): number {
  if (shift > 62) return 0;
  const s = BigInt(shift);
  let addend = shift === 0 ? 0n : 1n << (s - 1n);
  if (random !== null) {
    const bits = BigInt(random.next());
    addend = shift >= 32 ? bits << (s - 32n) : bits & ((1n << s) - 1n);
  }
  const result = (value + addend) >> s;
  return Number(result > STEP_MAX ? STEP_MAX : result < STEP_MIN ? STEP_MIN : result);
}

const GRADIENT_BITS = 15;

function rescale(params: HeadTraining, gradient: Int32Array): number {
  let shift = params.gradientShift;
  if (params.isDynamic) {
    const any = gradient.reduce((bits, value) => bits | (value ^ (value >> 31)), 0);
    shift = Math.max(0, 32 - Math.clz32(any) - GRADIENT_BITS);
  }
  for (const [i, value] of gradient.entries()) gradient[i] = clamp16(value >> shift);
  return shift;
}

const totalShift = (params: HeadTraining, weights: HeadWeights16, gradientShift: number): number =>
  30 + params.rateShift - weights.exponent - gradientShift;

/** product * 2^-shift rounded down. */
function shifted(product: bigint, shift: number): bigint {
  return shift >= 0 ? product >> BigInt(Math.min(shift, 62)) : product << BigInt(Math.min(-shift, 31));
}

function makeRoom(params: HeadTraining, state: HeadWeights16, gradient: Int32Array, gradientShift: number): void {
  for (let tries = 0; tries < 16 && state.exponent > 0; tries += 1) {
    const shift = totalShift(params, state, gradientShift);
    const fits = gradient.every((value, i) => {
      const next = BigInt(state.weights[i]!) - shifted(BigInt(value * params.rateMantissa), shift);
      return next < 32765n && next > -32766n;
    });
    if (fits) return;
    for (const [i, value] of state.weights.entries()) state.weights[i] = value >> 1;
    state.exponent -= 1;
  }
}

/** weights -= rate * gradient, in place; clears the gradient. @param random of the stochastic rounding; null: to nearest */
export function adaptApply(
  params: HeadTraining,
  state: HeadWeights16,
  gradient: Int32Array,
  random: Xorshift32 | null,
): void {
  const gradientShift = rescale(params, gradient);
  if (params.isDynamic) makeRoom(params, state, gradient, gradientShift);
  const shift = totalShift(params, state, gradientShift);
  for (const [i, value] of gradient.entries()) {
    const product = BigInt(value * params.rateMantissa);
    const step = shift >= 0 ? roundedShift(product, shift, random) : roundedShift(shifted(product, shift), 0, random);
    state.weights[i] = clamp16(state.weights[i]! - step);
  }
  gradient.fill(0);
}

const f = Math.fround;

/** One sample's step in float32, in place. @param weights [classes, size + 1] */
export function adaptStepF32(
  params: Pick<HeadTraining, 'size' | 'classes' | 'offset'>,
  rate: number,
  weights: Float32Array,
  phi: Int8Array,
  label: number,
): void {
  const { size, classes, offset } = params;
  const logits = Float32Array.from({ length: classes }, (_, c) => {
    const row = c * (size + 1);
    let sum = f(weights[row + size]! * BIAS_INPUT);
    for (let i = 0; i < size; i += 1) sum = f(sum + f(weights[row + i]! * (phi[i]! + offset)));
    return sum;
  });
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => expF32(f(logit - largest)));
  const total = powers.reduce((sum, value) => f(sum + value), 0);
  for (let c = 0; c < classes; c += 1) {
    const row = c * (size + 1);
    const step = f(f(rate) * f(f(powers[c]! / total) - (c === label ? 1 : 0)));
    for (let i = 0; i < size; i += 1) weights[row + i] = f(weights[row + i]! - f(step * (phi[i]! + offset)));
    weights[row + size] = f(weights[row + size]! - f(step * BIAS_INPUT));
  }
}
