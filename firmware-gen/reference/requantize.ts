/** The end of every convolution-like kernel: accumulator (bias included) to clamped output, by channel. */
import { assert, defined } from '../../common/errors.ts';
import type { Activation } from '../ir/graph.ts';
import { channelMultipliers } from '../ir/op-params.ts';
import type { QuantizedMultiplier, QuantizedRange } from '../ir/quantized-math.ts';
import {
  activationRangeQuantized,
  multiplyByQuantizedMultiplier,
  multiplyByQuantizedMultiplier64,
} from '../ir/quantized-math.ts';
import type { Operand } from './buffers.ts';
import { scaleOf, scalesOf, zeroPointOf } from './buffers.ts';

export interface Requantization {
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
  readonly outputOffset: number;
  readonly min: number;
  readonly max: number;
}

export function outputRange(activation: Activation, output: Operand): QuantizedRange {
  return activationRangeQuantized(activation, output.tensor.dtype, scaleOf(output), zeroPointOf(output));
}

export function requantizationOf(
  multipliers: readonly QuantizedMultiplier[],
  activation: Activation,
  output: Operand,
): Requantization {
  return {
    multiplier: Int32Array.from(multipliers, (entry) => entry.multiplier),
    shift: Int32Array.from(multipliers, (entry) => entry.shift),
    outputOffset: zeroPointOf(output),
    ...outputRange(activation, output),
  };
}

export function channelRequantization(
  input: Operand,
  filter: Operand,
  output: Operand,
  channels: number,
  activation: Activation,
): Requantization {
  assert(
    defined(filter.tensor.quantization, 'filter quantization').zeroPoint.every((zeroPoint) => zeroPoint === 0),
    `weights ${filter.tensor.name} are not symmetric`,
  );
  const multipliers = channelMultipliers(scaleOf(input), scalesOf(filter), scaleOf(output), channels);
  return requantizationOf(multipliers, activation, output);
}

/** int32 accumulator to output value. */
export function requantize(accumulator: number, channel: number, r: Requantization): number {
  const scaled = multiplyByQuantizedMultiplier(
    accumulator,
    r.multiplier[channel] as number,
    r.shift[channel] as number,
  );
  return Math.min(Math.max((scaled + r.outputOffset) | 0, r.min), r.max);
}

/** 64-bit accumulator (an exact integer in a double) to output value. */
export function requantize64(accumulator: number, channel: number, r: Requantization): number {
  const scaled = multiplyByQuantizedMultiplier64(
    accumulator,
    r.multiplier[channel] as number,
    r.shift[channel] as number,
  );
  return Math.min(Math.max((scaled + r.outputOffset) | 0, r.min), r.max);
}

/**
 * How an int16x8 op accumulates: TFLM takes 64 bits unless the bias is int32. Bias values as doubles (exact to 2^53; TFLite's own
 * domain for the 64-bit path is 2^47).
 */
export interface WideBias {
  readonly values: Float64Array | null;
  readonly is64: boolean;
}

export function wideBias(bias: Operand | null): WideBias {
  if (!bias) return { values: null, is64: true };
  const { view } = bias;
  if (view instanceof Int32Array) return { values: Float64Array.from(view), is64: false };
  assert(view instanceof BigInt64Array, `bias ${bias.tensor.name} is ${bias.tensor.dtype}`);
  for (const value of view) {
    assert(value >= -(2n ** 47n) && value < 2n ** 47n, `bias ${bias.tensor.name} leaves 48 bits: ${value}`);
  }
  return { values: Float64Array.from(view, Number), is64: true };
}

export function requantizeWide(accumulator: number, channel: number, r: Requantization, is64: boolean): number {
  return is64 ? requantize64(accumulator, channel, r) : requantize(accumulator | 0, channel, r);
}
