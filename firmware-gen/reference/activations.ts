/**
 * LOGISTIC, TANH, RELU, RELU6, LEAKY_RELU and HARD_SWISH for int8, int16 (not HARD_SWISH) and float32. int8 LOGISTIC and TANH are gemmlowp's
 * fixed-point functions, int16 ones interpolate TFLite's sigmoid table, float ones are float-math.ts. Source of the semantics:
 * reference/{integer_ops/logistic.h,integer_ops/tanh.h,hard_swish.h,leaky_relu.h}, micro/kernels/activations{.h,_common.cc}.
 */
import { assert } from '../../common/errors.ts';
import type { Op } from '../ir/graph.ts';
import {
  hardSwishParams,
  leakyReluParams,
  reluMultiplier,
  sigmoidParamsInt16,
  sigmoidParamsInt8,
} from '../ir/op-params.ts';
import {
  activationRangeQuantized,
  multiplyByQuantizedMultiplier as scale,
  roundHalfAwayFromZero,
  roundingDivideByPOT,
  typeRange,
} from '../ir/quantized-math.ts';
import type { Buffers, Operand, Values } from './buffers.ts';
import { inputOf, outputOf, scaleOf, zeroPointOf } from './buffers.ts';
import { logisticQ4, tanhQ4 } from './fixed-point.ts';
import { logisticF32, tanhF32 } from './float-math.ts';
import { SIGMOID_TABLE } from './sigmoid-table.ts';

const f = Math.fround;

export type ActivationOp = Op & {
  readonly kind: 'LOGISTIC' | 'TANH' | 'RELU' | 'RELU6' | 'LEAKY_RELU' | 'HARD_SWISH';
};
type Unary = (value: number) => number;

export function prepareActivation(op: ActivationOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const output = outputOf(buffers, op);
  const apply = functionOf(op, input, output);
  const x = input.view as Exclude<Values, BigInt64Array>;
  const y = output.view as Exclude<Values, BigInt64Array>;
  return () => {
    for (let i = 0; i < x.length; i++) y[i] = apply(x[i] as number);
  };
}

function functionOf(op: ActivationOp, input: Operand, output: Operand): Unary {
  const { dtype } = input.tensor;
  assert(dtype === output.tensor.dtype, `${op.kind} op ${op.index} changes the type`);
  if (dtype === 'float32') return floatFunction(op);
  assert(dtype === 'int8' || dtype === 'int16', `${op.kind} op ${op.index} on ${dtype}`);
  switch (op.kind) {
    case 'LOGISTIC':
    case 'TANH':
      return dtype === 'int8' ? sigmoidInt8(op.kind, input) : sigmoidInt16(op.kind, input);
    case 'RELU':
      return reluQuantized(input, output);
    case 'RELU6':
      return relu6Quantized(input);
    case 'LEAKY_RELU':
      return leakyReluQuantized(op.alpha, input, output);
    case 'HARD_SWISH':
      assert(dtype === 'int8', `HARD_SWISH op ${op.index} on int16`);
      return hardSwishInt8(input, output);
  }
}

function floatFunction(op: ActivationOp): Unary {
  switch (op.kind) {
    case 'LOGISTIC':
      return logisticF32;
    case 'TANH':
      return tanhF32;
    case 'RELU':
      return (x) => (x < 0 ? 0 : x);
    case 'RELU6':
      return (x) => (x > 6 ? 6 : x < 0 ? 0 : x);
    case 'LEAKY_RELU': {
      const alpha = f(op.alpha);
      return (x) => (x > 0 ? x : f(x * alpha));
    }
    case 'HARD_SWISH':
      return (x) => {
        const shifted = f(x + 3);
        const raised = 0 < shifted ? shifted : 0;
        return f(f(x * (raised < 6 ? raised : 6)) / 6);
      };
  }
}

function sigmoidInt8(kind: 'LOGISTIC' | 'TANH', input: Operand): Unary {
  const zeroPoint = zeroPointOf(input);
  const { multiplier, leftShift, radius } = sigmoidParamsInt8(scaleOf(input));
  return (value) => {
    const centred = value - zeroPoint;
    if (centred <= -radius) return -128;
    if (centred >= radius) return 127;
    const q4 = scale(centred, multiplier, leftShift);
    const result =
      kind === 'LOGISTIC' ? roundingDivideByPOT(logisticQ4(q4), 23) - 128 : roundingDivideByPOT(tanhQ4(q4), 24);
    return Math.min(Math.max(result, -128), 127);
  };
}

function sigmoidInt16(kind: 'LOGISTIC' | 'TANH', input: Operand): Unary {
  const { multiplier, leftShift } = sigmoidParamsInt16(kind, scaleOf(input));
  const round = leftShift > 0 ? 1 << (leftShift - 1) : 0;
  const index = (value: number): number => (Math.imul(value, multiplier) + round) >> leftShift;
  return kind === 'LOGISTIC' ? (value) => logisticInt16(index(value)) : (value) => tanhInt16(index(value));
}

/** Table index in 1/512 steps of an entry; result in Q0.15. */
function logisticInt16(index: number): number {
  const magnitude = Math.abs(index);
  const entry = magnitude >>> 9;
  let result = 0x7fff << 10;
  if (entry < 255) {
    const [low, high] = [SIGMOID_TABLE[entry] as number, SIGMOID_TABLE[entry + 1] as number];
    result = (low << 9) + (magnitude & 0x1ff) * (high - low);
  }
  result = index >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1;
  return result >>> 10;
}

/** tanh(x) = 2 sigmoid(2x) - 1: table index in 1/256 steps of an entry; result in Q0.15. */
function tanhInt16(index: number): number {
  const magnitude = Math.abs(index);
  const entry = magnitude >>> 8;
  let result = 0xffff << 8;
  if (entry < 255) {
    const [low, high] = [SIGMOID_TABLE[entry] as number, SIGMOID_TABLE[entry + 1] as number];
    result = (low << 8) + (magnitude & 0xff) * (high - low);
  }
  result = index >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
  return result >> 8;
}

function reluQuantized(input: Operand, output: Operand): Unary {
  const { multiplier, shift } = reluMultiplier(scaleOf(input), scaleOf(output));
  const [inputZero, outputZero] = [zeroPointOf(input), zeroPointOf(output)];
  const { min, max } = activationRangeQuantized('RELU', output.tensor.dtype, scaleOf(output), outputZero);
  return (value) => Math.min(Math.max(scale(value - inputZero, multiplier, shift) + outputZero, min), max);
}

/** RELU6 does not rescale: TFLM clamps stored values by the input's quantization. The bound 6 saturates to the type. */
function relu6Quantized(input: Operand): Unary {
  const { min, max } = typeRange(input.tensor.dtype);
  const zero = zeroPointOf(input);
  const six = Math.min(Math.max(zero + roundHalfAwayFromZero(f(6 / scaleOf(input))), min), max);
  return (value) => (value > six ? six : value < zero ? zero : value);
}

function leakyReluQuantized(alpha: number, input: Operand, output: Operand): Unary {
  const p = leakyReluParams(scaleOf(input), alpha, scaleOf(output));
  const [inputZero, outputZero] = [zeroPointOf(input), zeroPointOf(output)];
  const { min, max } = typeRange(output.tensor.dtype);
  return (value) => {
    const centred = value - inputZero;
    const scaled =
      centred >= 0
        ? scale(centred, p.identity.multiplier, p.identity.shift)
        : (p.alphaIsNegative ? -1 : 1) * scale(centred, p.alpha.multiplier, p.alpha.shift);
    return Math.min(Math.max((scaled + outputZero) | 0, min), max);
  };
}

/** 16-bit SaturatingRoundingDoublingHighMul (SQRDMULH); b is never -32768 here. */
function roundingHighMul16(a: number, b: number): number {
  const product = a * b;
  const nudge = product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return Math.trunc((product + nudge) / 32768);
}

function toInt16(value: number): number {
  return (value << 16) >> 16;
}

function saturateInt16(value: number): number {
  return Math.min(Math.max(value, -32768), 32767);
}

function hardSwishInt8(input: Operand, output: Operand): Unary {
  const p = hardSwishParams(scaleOf(input), scaleOf(output));
  const [inputZero, outputZero] = [zeroPointOf(input), zeroPointOf(output)];
  return (value) => {
    const hires = (value - inputZero) * 128;
    const preshift = roundingHighMul16(hires, p.outputMultiplier);
    let reluish = hires;
    if (p.reluishExponent > 0) reluish = saturateInt16(reluish * 2 ** (p.reluishExponent - 1));
    reluish = roundingHighMul16(reluish, p.reluishMultiplier);
    if (p.reluishExponent > 0) reluish = saturateInt16(reluish * 2);
    if (p.reluishExponent < 0) reluish = roundingDivideByPOT(reluish, -p.reluishExponent);
    // [-1, 1] to [0, 1].
    reluish = (reluish + 32768) >> 1;
    const product = Math.trunc((reluish * preshift) / 32768);
    const result = toInt16(roundingDivideByPOT(product, -p.outputExponent) + outputZero);
    return Math.min(Math.max(result, -128), 127);
  };
}
