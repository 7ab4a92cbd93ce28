/**
 * SOFTMAX over the last axis: int8 (gemmlowp fixed point), int16 (two interpolated tables), float32. Source of the
 * semantics: reference/softmax.h, micro/kernels/softmax_common.cc, kernels/internal/common.h (LUTPopulateInt16, LUTLookup, GetReciprocal).
 */
import { assert, defined } from '../../common/errors.ts';
import type { Op } from '../ir/graph.ts';
import type { SoftmaxParams } from '../ir/op-params.ts';
import { softmaxInt16Multiplier, softmaxParams } from '../ir/op-params.ts';
import {
  multiplyByQuantizedMultiplier,
  roundHalfAwayFromZero,
  roundingDivideByPOT,
  saturatingRoundingDoublingHighMul,
} from '../ir/quantized-math.ts';
import type { Buffers } from './buffers.ts';
import { as, inputOf, outputOf, scaleOf } from './buffers.ts';
import { expOnNegativeValues, reciprocal } from './fixed-point.ts';
import { expF32 } from './float-math.ts';
import { inputScaleId } from '../ir/dynamic-ops.ts';
import { dynamicSoftmaxMultiplier, dynamicSoftmaxParams } from '../ir/dynamic.ts';
import { readScale } from './dynamic.ts';

const f = Math.fround;

type SoftmaxOp = Op & { readonly kind: 'SOFTMAX' };

export function prepareSoftmax(op: SoftmaxOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const output = outputOf(buffers, op);
  const depth = defined(input.tensor.shape.at(-1), 'SOFTMAX last axis');
  const rows = input.view.length / depth;
  if (input.tensor.dtype === 'float32') {
    const [x, y, beta] = [as(input, Float32Array), as(output, Float32Array), f(op.beta)];
    return () => {
      for (let row = 0; row < rows; row++) softmaxFloat(x, y, row * depth, depth, beta);
    };
  }
  if (input.tensor.dtype === 'int16') {
    const fixed = op.dynamic ? null : softmaxInt16Multiplier(scaleOf(input), op.beta);
    const [x, y] = [as(input, Int16Array), as(output, Int16Array)];
    return () => {
      const { multiplier, shift } = fixed ?? dynamicSoftmaxMultiplier(readScale(buffers, inputScaleId(op)));
      for (let row = 0; row < rows; row++) softmaxInt16(x, y, row * depth, depth, multiplier, shift);
    };
  }
  const [x, y] = [as(input, Int8Array), as(output, Int8Array)];
  const staticParams = op.dynamic ? null : softmaxParams(scaleOf(input), op.beta);
  return () => {
    const params = staticParams ?? dynamicSoftmaxParams(readScale(buffers, inputScaleId(op)));
    for (let row = 0; row < rows; row++) {
      softmaxInt8(x, y, row * depth, depth, params);
    }
  };
}

function softmaxInt8(input: Int8Array, output: Int8Array, first: number, depth: number, p: SoftmaxParams): void {
  const ACCUMULATOR_INTEGER_BITS = 12;
  let rowMax = -128;
  for (let c = first; c < first + depth; c++) rowMax = Math.max(rowMax, input[c] as number);
  const exponential = (diff: number): number =>
    expOnNegativeValues(saturatingRoundingDoublingHighMul(diff << p.leftShift, p.multiplier), 5);
  let sum = 0;
  for (let c = first; c < first + depth; c++) {
    const diff = (input[c] as number) - rowMax;
    if (diff >= p.diffMin) sum = (sum + roundingDivideByPOT(exponential(diff), ACCUMULATOR_INTEGER_BITS)) | 0;
  }
  const { scale, bitsOverUnit } = reciprocal(sum, ACCUMULATOR_INTEGER_BITS);
  const exponent = bitsOverUnit + 31 - 8;
  assert(exponent >= 0 && exponent <= 31, `SOFTMAX row of ${depth} elements is too long for its accumulator`);
  for (let c = first; c < first + depth; c++) {
    const diff = (input[c] as number) - rowMax;
    if (diff < p.diffMin) {
      output[c] = -128;
      continue;
    }
    const unsaturated = roundingDivideByPOT(saturatingRoundingDoublingHighMul(scale, exponential(diff)), exponent);
    output[c] = Math.max(Math.min(unsaturated - 128, 127), -128);
  }
}

const LUT_STEPS = 512;

/**
 * 513 samples of `transform` over 16-bit inputs, biased by half the error at each interval's middle; every step is float32 as in TFLite.
 * `transform` is computed in double and rounded, which is what a correctly rounded expf gives.
 */
function populateLut(
  inputScale: number,
  inputZero: number,
  outputScale: number,
  transform: (x: number) => number,
): Int16Array {
  const inputMin = f(inputScale * (-32768 - inputZero));
  const inputMax = f(inputScale * (32767 - inputZero));
  const outputMin = f(outputScale * -32768);
  const outputMax = f(outputScale * 32767);
  const step = f(f(inputMax - inputMin) / LUT_STEPS);
  const halfStep = f(step / 2);
  const inverse = f(65536 / f(outputMax - outputMin));
  const clamp = (x: number): number => Math.min(Math.max(x, -32768), 32767);
  const lut = new Int16Array(LUT_STEPS + 1);
  for (let i = 0; i < LUT_STEPS; i++) {
    const at = f(inputMin + f(i * step));
    const value = transform(at);
    const middle = transform(f(at + halfStep));
    const next = transform(f(inputMin + f((i + 1) * step)));
    const sample = roundHalfAwayFromZero(f(value * inverse));
    const interpolated = roundHalfAwayFromZero(f(f(f(next * inverse) + sample) / 2));
    const middleError = f(interpolated - roundHalfAwayFromZero(f(middle * inverse)));
    lut[i] = clamp(sample - roundHalfAwayFromZero(f(middleError / 2)));
  }
  lut[LUT_STEPS] = clamp(roundHalfAwayFromZero(f(transform(inputMax) * inverse)));
  return lut;
}

/** exp over [-10, 0] and 1/(1+x) over [0, 1], both in Q0.15: the tables of the int16 SOFTMAX, 513 entries each. */
export const SOFTMAX_EXP_LUT = populateLut(f(10 / 65535), 32767, f(2 / 65535), (x) => f(Math.exp(x)));
export const SOFTMAX_RECIPROCAL_LUT = populateLut(f(1 / 65535), -32768, f(2 / 65535), (x) => f(1 / f(1 + x)));

function lookUp(value: number, lut: Int16Array): number {
  const index = 256 + (value >> 7);
  const base = lut[index] as number;
  // The slope is an int16 in C.
  const slope = (((lut[index + 1] as number) - base) << 16) >> 16;
  return base + ((slope * (value & 0x7f) + 64) >> 7);
}

function softmaxInt16(
  input: Int16Array,
  output: Int16Array,
  first: number,
  depth: number,
  multiplier: number,
  shift: number,
): void {
  const saturate = (x: number): number => Math.min(Math.max(x, -32768), 32767);
  let rowMax = -32768;
  for (let c = first; c < first + depth; c++) rowMax = Math.max(rowMax, input[c] as number);
  let sum = 0;
  for (let c = first; c < first + depth; c++) {
    const scaled = multiplyByQuantizedMultiplier((input[c] as number) - rowMax, multiplier, shift);
    output[c] = lookUp(saturate((scaled + 32767) | 0), SOFTMAX_EXP_LUT);
    sum += output[c] as number;
  }
  const headroomPlusOne = Math.clz32(sum);
  // Below 2^31: sum << (headroom) leaves the sign bit free, adding 2^13 may not.
  const shiftedSum = Math.floor((sum * 2 ** (headroomPlusOne - 1) + (1 << 13)) / (1 << 14));
  const reciprocalQ15 = lookUp(saturate(shiftedSum - ((1 << 15) + (1 << 16))), SOFTMAX_RECIPROCAL_LUT);
  const rightShift = 31 - headroomPlusOne;
  const round = 2 ** (rightShift - 1);
  for (let c = first; c < first + depth; c++) {
    const result = Math.floor(((output[c] as number) * reciprocalQ15 + round) / 2 ** rightShift);
    output[c] = Math.min(Math.max(result, 0), 32767);
  }
}

function softmaxFloat(input: Float32Array, output: Float32Array, first: number, depth: number, beta: number): void {
  let rowMax = f(-3.4028234663852886e38);
  for (let c = first; c < first + depth; c++) {
    if (rowMax < (input[c] as number)) rowMax = input[c] as number;
  }
  let sum = f(0);
  for (let c = first; c < first + depth; c++) {
    const value = expF32(f(f((input[c] as number) - rowMax) * beta));
    output[c] = value;
    sum = f(sum + value);
  }
  for (let c = first; c < first + depth; c++) output[c] = f((output[c] as number) / sum);
}
