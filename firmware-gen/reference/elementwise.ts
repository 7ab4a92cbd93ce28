/**
 * ADD, SUB, MUL, MAXIMUM and MINIMUM with NumPy broadcasting for int8, int16 and float32. Source of the semantics:
 * reference/{integer_ops/add.h,add.h,sub.h,integer_ops/mul.h,mul.h}, micro/kernels/maximum_minimum.h.
 */
import { assert } from '../../common/errors.ts';
import type { Activation, Op } from '../ir/graph.ts';
import type { AddParams } from '../ir/op-params.ts';
import { addParams, mulMultiplier, subParams } from '../ir/op-params.ts';
import { activationRangeFloat, multiplyByQuantizedMultiplier as scale } from '../ir/quantized-math.ts';
import type { Buffers, Operand, Values } from './buffers.ts';
import { inputOf, outputOf, scaleOf, zeroPointOf } from './buffers.ts';
import { clampFloat } from './conv.ts';
import { broadcastMap } from './index-map.ts';
import { outputRange } from './requantize.ts';

const f = Math.fround;

type ArithmeticOp = Op & { readonly kind: 'ADD' | 'SUB' | 'MUL' };
type ExtremumOp = Op & { readonly kind: 'MAXIMUM' | 'MINIMUM' };
type Binary = (a: number, b: number) => number;
type NumberValues = Exclude<Values, BigInt64Array>;

export function prepareArithmetic(op: ArithmeticOp, buffers: Buffers): () => void {
  const [a, b, output] = [inputOf(buffers, op, 0), inputOf(buffers, op, 1), outputOf(buffers, op)];
  const { dtype } = output.tensor;
  if (dtype === 'float32') return prepareBinary(a, b, output, floatFunction(op.kind, op.activation));
  assert(dtype === 'int8' || dtype === 'int16', `${op.kind} op ${op.index} on ${dtype}`);
  if (op.kind === 'MUL') return prepareBinary(a, b, output, quantizedMul(op.activation, a, b, output));
  const params = op.kind === 'ADD' ? addParams : subParams;
  const p = params(dtype, scaleOf(a), scaleOf(b), scaleOf(output));
  return prepareBinary(a, b, output, quantizedAdd(p, op.kind === 'ADD' ? 1 : -1, op.activation, a, b, output));
}

/** No rescaling: TFLM compares the stored values, so the three quantizations are equal in a valid model. */
export function prepareExtremum(op: ExtremumOp, buffers: Buffers): () => void {
  const [a, b, output] = [inputOf(buffers, op, 0), inputOf(buffers, op, 1), outputOf(buffers, op)];
  const choose: Binary = op.kind === 'MAXIMUM' ? (x, y) => (x > y ? x : y) : (x, y) => (x < y ? x : y);
  return prepareBinary(a, b, output, choose);
}

function prepareBinary(a: Operand, b: Operand, output: Operand, apply: Binary): () => void {
  const [x, y, out] = [a, b, output].map((operand) => {
    assert(!(operand.view instanceof BigInt64Array), `${operand.tensor.name}: int64 arithmetic`);
    return operand.view;
  }) as [NumberValues, NumberValues, NumberValues];
  const same = x.length === out.length && y.length === out.length;
  if (same) {
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = apply(x[i] as number, y[i] as number);
    };
  }
  const mapA = broadcastMap(a.tensor.shape, output.tensor.shape);
  const mapB = broadcastMap(b.tensor.shape, output.tensor.shape);
  return () => {
    for (let i = 0; i < out.length; i++) {
      out[i] = apply(x[mapA[i] as number] as number, y[mapB[i] as number] as number);
    }
  };
}

function quantizedAdd(
  p: AddParams,
  sign: 1 | -1,
  activation: Activation,
  a: Operand,
  b: Operand,
  output: Operand,
): Binary {
  const [offsetA, offsetB, outputOffset] = [-zeroPointOf(a), -zeroPointOf(b), zeroPointOf(output)];
  const { min, max } = outputRange(activation, output);
  return (x, y) => {
    const scaledA = scale((x + offsetA) << p.leftShift, p.input1.multiplier, p.input1.shift);
    const scaledB = scale((y + offsetB) << p.leftShift, p.input2.multiplier, p.input2.shift);
    const sum = scale((scaledA + sign * scaledB) | 0, p.output.multiplier, p.output.shift);
    return Math.min(Math.max((sum + outputOffset) | 0, min), max);
  };
}

function quantizedMul(activation: Activation, a: Operand, b: Operand, output: Operand): Binary {
  const { multiplier, shift } = mulMultiplier(scaleOf(a), scaleOf(b), scaleOf(output));
  const [offsetA, offsetB, outputOffset] = [-zeroPointOf(a), -zeroPointOf(b), zeroPointOf(output)];
  const { min, max } = outputRange(activation, output);
  return (x, y) => {
    const product = scale(Math.imul(x + offsetA, y + offsetB), multiplier, shift);
    return Math.min(Math.max((product + outputOffset) | 0, min), max);
  };
}

function floatFunction(kind: ArithmeticOp['kind'], activation: Activation): Binary {
  const { min, max } = activationRangeFloat(activation);
  switch (kind) {
    case 'ADD':
      return (x, y) => clampFloat(f(x + y), min, max);
    case 'SUB':
      return (x, y) => clampFloat(f(x - y), min, max);
    case 'MUL':
      return (x, y) => clampFloat(f(x * y), min, max);
  }
}
