/** Training in 16-bit fixed point: the twins of tl_adapt_forward_s16, _accumulate_s16 and _apply_s16, bit for bit. */
import type { AdaptLayer, AdaptParams, Weights16 } from '../../ir/adaptation.ts';
import { exp2Q15 } from '../decision/heads.ts';
import { BIAS_INPUT, BITS, PRODUCT_SHIFT, clamp16, layerSum, magnitudeBits, scaled, shiftTo } from './layers.ts';

/** Gradients of the samples since the last step. */
export interface Gradients {
  /** By layer, [outputs, size + 1]. */
  readonly values: readonly Int32Array[];
  /** By layer: gradient = mantissa * 2^-exponent. */
  readonly exponents: number[];
  samples: number;
}

export function newGradients({ layers }: AdaptParams): Gradients {
  return {
    values: layers.map(({ size, outputs }) => new Int32Array(outputs * (size + 1))),
    exponents: layers.map(() => 0),
    samples: 0,
  };
}

/** Logits, Q16, and what goes into the head: the features, or the hidden layer. */
export function adaptForward(
  { layers }: AdaptParams,
  weights: readonly Weights16[],
  features: Int16Array,
): { logits: Int32Array; inputs: Int16Array } {
  let inputs = features;
  if (layers.length > 1) {
    const [layer, held] = [layers[0]!, weights[0]!];
    inputs = Int16Array.from({ length: layer.outputs }, (_, i) => {
      const value = clamp16(scaled(layerSum(layer, held.weights, i, features), held.exponent));
      return layer.isRelu ? Math.max(0, value) : value;
    });
  }
  const [head, held] = [layers.at(-1)!, weights.at(-1)!];
  const logits = Int32Array.from({ length: head.outputs }, (_, c) =>
    scaled(layerSum(head, held.weights, c, inputs), held.exponent - 16),
  );
  return { logits, inputs };
}

const EXPONENT_STEP = 1477;

function softmaxQ15(logits: Int32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(logits, (logit) => {
    const distance = Math.floor(((largest - logit) * EXPONENT_STEP) / 65536);
    return exp2Q15(distance > 16 * 1024 ? -16 * 1024 : -distance);
  });
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => Math.floor((power * 32768) / sum));
}

/** What the head's deltas mean for its inputs. */
function goBack(
  { layers, isDynamic }: AdaptParams,
  { exponent, weights }: Weights16,
  inputs: Int16Array,
  delta: readonly number[],
): { back: number[]; exponent: number } {
  const [first, head] = [layers[0]!, layers[1]!];
  const sums = Array.from({ length: head.size }, (_, i) => {
    if (first.isRelu && inputs[i]! <= 0) return 0;
    let sum = 0;
    for (let c = 0; c < head.outputs; c += 1) sum += delta[c]! * weights[c * (head.size + 1) + i]!;
    return Math.floor(sum / 32);
  });
  const any = sums.reduce((bits, value) => bits | magnitudeBits(value), 0);
  const shift = isDynamic ? shiftTo(any, BITS) : first.deltaShift;
  return { back: sums.map((value) => clamp16(value >> Math.min(shift, 31))), exponent: 15 - 5 + exponent - shift };
}

/** How far this sample's deltas are shifted right; makes the gradients' exponent the smallest of any sample. */
function align(gradients: Gradients, index: number, exponent: number): number {
  const ahead = exponent - gradients.exponents[index]!;
  if (gradients.samples > 0 && ahead >= 0) return Math.min(ahead, 31);
  const values = gradients.values[index]!;
  if (gradients.samples > 0) for (const [i, value] of values.entries()) values[i] = value >> Math.min(-ahead, 31);
  gradients.exponents[index] = exponent;
  return 0;
}

function addProducts(
  biasOnly: boolean,
  { size, outputs }: AdaptLayer,
  delta: readonly number[],
  shift: number,
  inputs: Int16Array,
  gradient: Int32Array,
): void {
  for (let c = 0; c < outputs; c += 1) {
    const slope = delta[c]! >> shift;
    const row = c * (size + 1);
    for (let i = 0; i < size && !biasOnly; i += 1) gradient[row + i]! += (slope * inputs[i]!) >> PRODUCT_SHIFT;
    gradient[row + size]! += (slope * BIAS_INPUT) >> PRODUCT_SHIFT;
  }
}

/** Adds one sample's gradient; the probability that the label had before, Q15. */
export function adaptAccumulate(
  params: AdaptParams,
  weights: readonly Weights16[],
  features: Int16Array,
  label: number,
  gradients: Gradients,
): number {
  const { layers, biasOnly } = params;
  const last = layers.length - 1;
  const { logits, inputs } = adaptForward(params, weights, features);
  const delta = softmaxQ15(logits);
  const probability = delta[label]!;
  delta[label]! -= 32768;
  if (last > 0) {
    const { back, exponent } = goBack(params, weights[last]!, inputs, delta);
    const shift = align(gradients, 0, exponent - PRODUCT_SHIFT);
    addProducts(biasOnly, layers[0]!, back, shift, features, gradients.values[0]!);
  }
  gradients.exponents[last] = 15 - PRODUCT_SHIFT;
  addProducts(biasOnly, layers[last]!, delta, 0, inputs, gradients.values[last]!);
  gradients.samples += 1;
  return probability;
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

/** product * 2^-shift rounded down. */
function shifted(product: bigint, shift: number): bigint {
  return shift >= 0 ? product >> BigInt(Math.min(shift, 62)) : product << BigInt(Math.min(-shift, 31));
}

function rescale(layer: AdaptLayer, isDynamic: boolean, gradient: Int32Array): number {
  const any = gradient.reduce((bits, value) => bits | magnitudeBits(value), 0);
  const shift = isDynamic ? shiftTo(any, BITS) : layer.gradientShift;
  for (const [i, value] of gradient.entries()) gradient[i] = clamp16(value >> shift);
  return shift;
}

function makeRoom(layer: AdaptLayer, state: Weights16, gradient: Int32Array, shift: number): void {
  for (let tries = 0; tries < 16 && state.exponent > 0; tries += 1) {
    const fits = gradient.every((value, i) => {
      const next = BigInt(state.weights[i]!) - shifted(BigInt(value * layer.rateMantissa), shift - state.exponent);
      return next < 32765n && next > -32766n;
    });
    if (fits) return;
    for (const [i, value] of state.weights.entries()) state.weights[i] = value >> 1;
    state.exponent -= 1;
  }
}

/** weights -= rate * gradient, in place; clears the gradients. @param random of the stochastic rounding; null: to nearest */
export function adaptApply(
  { layers, isDynamic }: AdaptParams,
  weights: readonly Weights16[],
  gradients: Gradients,
  random: Xorshift32 | null,
): void {
  for (const [index, layer] of layers.entries()) {
    const [state, gradient] = [weights[index]!, gradients.values[index]!];
    const gradientShift = rescale(layer, isDynamic, gradient);
    const whole = gradients.exponents[index]! - gradientShift + 15 + layer.rateShift;
    if (isDynamic) makeRoom(layer, state, gradient, whole);
    const shift = whole - state.exponent;
    for (const [i, value] of gradient.entries()) {
      const product = BigInt(value * layer.rateMantissa);
      const step = shift >= 0 ? roundedShift(product, shift, random) : roundedShift(shifted(product, shift), 0, random);
      state.weights[i] = clamp16(state.weights[i]! - step);
    }
    gradient.fill(0);
  }
  gradients.samples = 0;
}
