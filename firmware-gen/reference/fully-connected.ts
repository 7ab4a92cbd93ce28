/**
 * FULLY_CONNECTED for int8, int16 with weights of 8 or 16 bits, and float32; weights per tensor or per channel. All leading dimensions are batch. Source of the
 * semantics: reference/{integer_ops/fully_connected.h,fully_connected.h}, micro/kernels/fully_connected{,_common}.cc.
 */
import { defined } from '../../common/errors.ts';
import { activationRangeFloat } from '../ir/quantized-math.ts';
import type { Op } from '../ir/graph.ts';
import { fullyConnectedMultiplier } from '../ir/op-params.ts';
import type { Buffers, Operand } from './buffers.ts';
import { as, inputOf, int16Weights, optionalInputOf, outputOf, scaleOf, scalesOf, zeroPointOf } from './buffers.ts';
import { clampFloat } from './conv.ts';
import type { Requantization, WideBias } from './requantize.ts';
import { channelRequantization, requantizationOf, requantize, requantizeWide, wideBias } from './requantize.ts';

const f = Math.fround;

type FullyConnectedOp = Op & { readonly kind: 'FULLY_CONNECTED' };

interface Extents {
  readonly batches: number;
  readonly units: number;
  readonly depth: number;
}

export function prepareFullyConnected(op: FullyConnectedOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const filter = inputOf(buffers, op, 1);
  const bias = optionalInputOf(buffers, op, 2);
  const output = outputOf(buffers, op);
  const units = defined(filter.tensor.shape.at(-2), 'FULLY_CONNECTED weight rows');
  const depth = defined(filter.tensor.shape.at(-1), 'FULLY_CONNECTED weight columns');
  const extents = { batches: output.view.length / units, units, depth };
  if (input.tensor.dtype === 'float32') {
    const { min, max } = activationRangeFloat(op.activation);
    const biases = bias ? as(bias, Float32Array) : null;
    const [x, w, y] = [as(input, Float32Array), as(filter, Float32Array), as(output, Float32Array)];
    return () => fullyConnectedFloat(extents, x, w, biases, min, max, y);
  }
  const requantization = requantizationFor(op, input, filter, output, units);
  if (input.tensor.dtype === 'int16') {
    const weights = int16Weights(filter);
    const wide = wideBias(bias);
    const [x, y] = [as(input, Int16Array), as(output, Int16Array)];
    return () => fullyConnectedInt16(extents, x, -zeroPointOf(input), weights, wide, requantization, y);
  }
  const weights = as(filter, Int8Array);
  const biases = bias ? as(bias, Int32Array) : null;
  const [x, y] = [as(input, Int8Array), as(output, Int8Array)];
  const weightsOffset = scalesOf(filter).length > 1 ? 0 : -zeroPointOf(filter);
  return () => fullyConnectedInt8(extents, x, -zeroPointOf(input), weights, weightsOffset, biases, requantization, y);
}

function requantizationFor(
  op: FullyConnectedOp,
  input: Operand,
  filter: Operand,
  output: Operand,
  units: number,
): Requantization {
  if (scalesOf(filter).length > 1) return channelRequantization(input, filter, output, units, op.activation);
  const multiplier = fullyConnectedMultiplier(scaleOf(input), scaleOf(filter), scaleOf(output));
  return requantizationOf(new Array(units).fill(multiplier) as (typeof multiplier)[], op.activation, output);
}

function fullyConnectedInt8(
  e: Extents,
  input: Int8Array,
  inputOffset: number,
  weights: Int8Array,
  weightsOffset: number,
  bias: Int32Array | null,
  r: Requantization,
  output: Int8Array,
): void {
  for (let batch = 0; batch < e.batches; batch++) {
    for (let unit = 0; unit < e.units; unit++) {
      let acc = 0;
      for (let d = 0; d < e.depth; d++) {
        const weight = (weights[unit * e.depth + d] as number) + weightsOffset;
        acc = (acc + weight * ((input[batch * e.depth + d] as number) + inputOffset)) | 0;
      }
      if (bias) acc = (acc + (bias[unit] as number)) | 0;
      output[batch * e.units + unit] = requantize(acc, unit, r);
    }
  }
}

function fullyConnectedInt16(
  e: Extents,
  input: Int16Array,
  inputOffset: number,
  weights: Int8Array | Int16Array,
  bias: WideBias,
  r: Requantization,
  output: Int16Array,
): void {
  for (let batch = 0; batch < e.batches; batch++) {
    for (let unit = 0; unit < e.units; unit++) {
      let acc = 0.0;
      for (let d = 0; d < e.depth; d++) {
        acc += (weights[unit * e.depth + d] as number) * ((input[batch * e.depth + d] as number) + inputOffset);
      }
      if (bias.values) acc += bias.values[unit] as number;
      output[batch * e.units + unit] = requantizeWide(acc, unit, r, bias.is64);
    }
  }
}

function fullyConnectedFloat(
  e: Extents,
  input: Float32Array,
  weights: Float32Array,
  bias: Float32Array | null,
  min: number,
  max: number,
  output: Float32Array,
): void {
  for (let batch = 0; batch < e.batches; batch++) {
    for (let unit = 0; unit < e.units; unit++) {
      let total = f(0);
      for (let d = 0; d < e.depth; d++) {
        total = f(total + f((input[batch * e.depth + d] as number) * (weights[unit * e.depth + d] as number)));
      }
      output[batch * e.units + unit] = clampFloat(f(total + (bias ? (bias[unit] as number) : 0)), min, max);
    }
  }
}
