/**
 * What TFLite Micro's Prepare functions compute per op: fixed-point multipliers, left shifts, radii, paddings. One place for reference and
 * lowering, checked against tflite-micro's own outputs (test/vectors/tflm). Which operations are float32 and which double follows TFLM
 * op by op, since the multipliers' last bits depend on it. Scales are float32 values held in doubles. Source: tflite-micro 90b983c,
 * micro/kernels/*_common.cc, kernels/kernel_util.cc, kernels/internal/quantization_util.cc, kernels/padding.h.
 */
import { UserError } from '../../common/errors.ts';
import type { Padding } from './graph.ts';
import type { QuantizedMultiplier } from './quantized-math.ts';
import { frexp, quantizeMultiplier, reducedMultiplier, roundHalfAwayFromZero } from './quantized-math.ts';

const f = Math.fround;

/** Padding before the first row or column; what is missing after the last follows from the output extent. */
export function paddingBefore(
  padding: Padding,
  inputExtent: number,
  filterExtent: number,
  outputExtent: number,
  stride: number,
  dilation: number,
): number {
  if (padding === 'VALID') return 0;
  const effectiveFilter = (filterExtent - 1) * dilation + 1;
  return Math.floor(Math.max((outputExtent - 1) * stride + effectiveFilter - inputExtent, 0) / 2);
}

/** CONV_2D and DEPTHWISE_CONV_2D, and FULLY_CONNECTED with per-channel weights: one multiplier per output channel (double arithmetic). */
export function channelMultipliers(
  inputScale: number,
  filterScales: readonly number[],
  outputScale: number,
  channels: number,
): QuantizedMultiplier[] {
  return Array.from({ length: channels }, (_, channel) => {
    const filterScale = filterScales.length > 1 ? filterScales[channel] : filterScales[0];
    if (filterScale === undefined)
      throw new UserError(`weights have ${filterScales.length} scales for ${channels} channels`);
    return quantizeMultiplier((f(inputScale) * f(filterScale)) / f(outputScale));
  });
}

/** FULLY_CONNECTED with one weight scale: input and filter scale multiply in float32 here. */
export function fullyConnectedMultiplier(
  inputScale: number,
  filterScale: number,
  outputScale: number,
): QuantizedMultiplier {
  return quantizeMultiplier(f(f(inputScale) * f(filterScale)) / f(outputScale));
}

/** ADD and SUB: inputs go to a common scale of twice the larger one, shifted left by leftShift for precision. */
export interface AddParams {
  readonly leftShift: number;
  readonly input1: QuantizedMultiplier;
  readonly input2: QuantizedMultiplier;
  readonly output: QuantizedMultiplier;
}

function addLeftShift(dtype: 'int8' | 'int16'): number {
  return dtype === 'int16' ? 15 : 20;
}

/** TFLite aborts on multipliers of 1 and more here; the user gets told instead. */
function smallerThanOne(real: number, what: string): QuantizedMultiplier {
  if (!(real > 0 && real < 1)) {
    throw new UserError(
      `${what}: rescaling factor ${real} is not between 0 and 1; requantize the model with closer scales`,
    );
  }
  return quantizeMultiplier(real);
}

export function addParams(dtype: 'int8' | 'int16', scale1: number, scale2: number, outputScale: number): AddParams {
  const leftShift = addLeftShift(dtype);
  const twiceMax = 2 * Math.max(f(scale1), f(scale2));
  return {
    leftShift,
    input1: smallerThanOne(f(scale1) / twiceMax, 'ADD input 0'),
    input2: smallerThanOne(f(scale2) / twiceMax, 'ADD input 1'),
    output: smallerThanOne(twiceMax / (2 ** leftShift * f(outputScale)), 'ADD output'),
  };
}

/** As addParams, but TFLM's SUB divides in float32. */
export function subParams(dtype: 'int8' | 'int16', scale1: number, scale2: number, outputScale: number): AddParams {
  const leftShift = addLeftShift(dtype);
  const twiceMax = f(2 * Math.max(f(scale1), f(scale2)));
  return {
    leftShift,
    input1: smallerThanOne(f(f(scale1) / twiceMax), 'SUB input 0'),
    input2: smallerThanOne(f(f(scale2) / twiceMax), 'SUB input 1'),
    output: smallerThanOne(f(twiceMax / f(2 ** leftShift * f(outputScale))), 'SUB output'),
  };
}

export function mulMultiplier(scale1: number, scale2: number, outputScale: number): QuantizedMultiplier {
  return quantizeMultiplier((f(scale1) * f(scale2)) / f(outputScale));
}

/** QUANTIZE between integer types. */
export function requantizeMultiplier(inputScale: number, outputScale: number): QuantizedMultiplier {
  return quantizeMultiplier(f(inputScale) / f(outputScale));
}

/** MEAN: 1/count is folded into the multiplier by an integer division, as in reduce.h QuantizedMeanOrSum. */
export function meanMultiplier(inputScale: number, outputScale: number, count: number): QuantizedMultiplier {
  const base = quantizeMultiplier(f(inputScale) / f(outputScale));
  const log2Count = 31 - Math.clz32(count);
  const shift = Math.min(log2Count, 32, 31 + base.shift);
  // multiplier << shift is below 2^63: BigInt for this one exact division.
  const multiplier = Number((BigInt(base.multiplier) << BigInt(shift)) / BigInt(count));
  return { multiplier, shift: base.shift - shift };
}

/** Largest input magnitude (in quantized steps) that still matters: floor((2^integerBits - 1) * 2^(31 - integerBits) / 2^leftShift). */
function inputRadius(integerBits: number, leftShift: number, totalSignedBits: number): number {
  return Math.floor(((2 ** integerBits - 1) * 2 ** (totalSignedBits - integerBits)) / 2 ** leftShift);
}

export interface SoftmaxParams {
  readonly multiplier: number;
  readonly leftShift: number;
  /** Differences to the row's maximum below this give exactly zero. */
  readonly diffMin: number;
}

const SOFTMAX_INTEGER_BITS = 5;

/** int8 SOFTMAX (int8 or int16 out): input differences become Q5.26. */
export function softmaxParams(inputScale: number, beta: number): SoftmaxParams {
  const real = Math.min(f(beta) * f(inputScale) * 2 ** (31 - SOFTMAX_INTEGER_BITS), 2147483647);
  if (!(real > 1)) {
    throw new UserError(`SOFTMAX: beta ${beta} times input scale ${inputScale} is below 2^-26; requantize the model`);
  }
  const { multiplier, shift } = quantizeMultiplier(real);
  return { multiplier, leftShift: shift, diffMin: -inputRadius(SOFTMAX_INTEGER_BITS, shift, 31) };
}

/** int16 SOFTMAX: differences are scaled so that -65535 stands for -10. */
export function softmaxInt16Multiplier(inputScale: number, beta: number): QuantizedMultiplier {
  return quantizeMultiplier((f(inputScale) * f(beta)) / (10.0 / 65535.0));
}

/** int8 LOGISTIC and TANH: input to Q4.27, saturated outside +-radius. */
export interface SigmoidParams {
  readonly multiplier: number;
  readonly leftShift: number;
  readonly radius: number;
}

export function sigmoidParamsInt8(inputScale: number): SigmoidParams {
  const INTEGER_BITS = 4;
  const { fraction, exponent } = frexp(f(inputScale) * 2 ** (31 - INTEGER_BITS));
  const multiplier = roundHalfAwayFromZero(fraction * 2 ** 31);
  // A float32 scale has 24 significant bits, so the fraction cannot round up to 2^31.
  return { multiplier, leftShift: exponent, radius: inputRadius(INTEGER_BITS, exponent, 31) };
}

/** int16 LOGISTIC and TANH: (input * multiplier + round) >> leftShift indexes the sigmoid table; multiplier 3 * 2^s is the power-of-two case. */
export interface SigmoidParamsInt16 {
  readonly multiplier: number;
  readonly leftShift: number;
}

export function sigmoidParamsInt16(kind: 'LOGISTIC' | 'TANH', inputScale: number): SigmoidParamsInt16 {
  const scale = f(inputScale);
  const log2 = f(f(Math.log(scale)) * f(1 / f(Math.log(2))));
  const rounded = roundHalfAwayFromZero(log2);
  const potShift = 12 + rounded;
  const isPowerOfTwo = Math.abs(f(log2 - rounded)) < f(1e-3);
  if (isPowerOfTwo && (potShift === 0 || (kind === 'TANH' && potShift === 1))) {
    return { multiplier: 3 << potShift, leftShift: 0 };
  }
  let multiplier = scale * 4096 * 3;
  let leftShift = 0;
  while (multiplier <= 32767 / 2 && leftShift <= 30) {
    leftShift += 1;
    multiplier *= 2;
  }
  multiplier = Math.trunc(multiplier);
  if (multiplier > 32767) throw new UserError(`${kind}: int16 input scale ${inputScale} is too large (at most 2.66)`);
  return { multiplier, leftShift };
}

/** RELU on quantized values: rescale, then clamp below at the output's zero. */
export function reluMultiplier(inputScale: number, outputScale: number): QuantizedMultiplier {
  return quantizeMultiplier(f(f(inputScale) / f(outputScale)));
}

export interface LeakyReluParams {
  readonly identity: QuantizedMultiplier;
  /** Multiplier of |alpha|; negate the product when alphaIsNegative. */
  readonly alpha: QuantizedMultiplier;
  readonly alphaIsNegative: boolean;
}

export function leakyReluParams(inputScale: number, alpha: number, outputScale: number): LeakyReluParams {
  const real = f(f(f(inputScale) * f(alpha)) / f(outputScale));
  return {
    identity: quantizeMultiplier(f(f(inputScale) / f(outputScale))),
    alpha: quantizeMultiplier(Math.abs(real)),
    alphaIsNegative: real < 0,
  };
}

/** int8 HARD_SWISH works in 16 bits: multipliers are Q0.15, exponents are shifts (positive left). */
export interface HardSwishParams {
  readonly outputMultiplier: number;
  readonly outputExponent: number;
  readonly reluishMultiplier: number;
  readonly reluishExponent: number;
}

export function hardSwishParams(inputScale: number, outputScale: number): HardSwishParams {
  const hiresInputScale = f(f(1 / 128) * f(inputScale));
  const output = quantizeMultiplier(f(hiresInputScale / f(outputScale)));
  const reluish = quantizeMultiplier(f(hiresInputScale / f(3 / 32768)));
  if (output.shift > 0) {
    throw new UserError(
      `HARD_SWISH: input scale ${inputScale} is over 128 times output scale ${outputScale}; requantize the model`,
    );
  }
  return {
    outputMultiplier: downscaleToInt16(output.multiplier),
    outputExponent: output.shift,
    reluishMultiplier: downscaleToInt16(reluish.multiplier),
    reluishExponent: reluish.shift,
  };
}

/** DownScaleInt32ToInt16Multiplier: as reducedMultiplier, with its own saturation point. */
function downscaleToInt16(multiplier: number): number {
  return multiplier >= 2147483647 - 32768 ? 32767 : reducedMultiplier(multiplier);
}
