/**
 * CONV_2D for int8, int16 with weights of 8 or 16 bits, and float32, grouped convolution included. Loop order is TFLM's (filter row, filter column, input channel),
 * which fixes the float sums; padding contributes nothing. Source of the semantics: reference/{integer_ops/conv.h,conv.h}.
 */
import { activationRangeFloat } from '../ir/quantized-math.ts';
import type { Op } from '../ir/graph.ts';
import type { Buffers, Operand } from './buffers.ts';
import { as, extentOf, int16Weights, inputOf, optionalInputOf, outputOf, zeroPointOf } from './buffers.ts';
import type { Requantization, WideBias } from './requantize.ts';
import { channelRequantization, requantize, requantizeWide, wideBias } from './requantize.ts';
import type { Window } from './window.ts';
import { windowOf } from './window.ts';

const f = Math.fround;

type ConvOp = Op & { readonly kind: 'CONV_2D' };

interface ConvShape extends Window {
  /** Input channels one filter sees; less than inputC in grouped convolution. */
  readonly groupC: number;
  readonly filtersPerGroup: number;
}

export function prepareConv2d(op: ConvOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const filter = inputOf(buffers, op, 1);
  const bias = optionalInputOf(buffers, op, 2);
  const output = outputOf(buffers, op);
  const window = windowOf(op, input, output, extentOf(filter, 1), extentOf(filter, 2));
  const groupC = extentOf(filter, 3);
  const shape = { ...window, groupC, filtersPerGroup: window.outputC / (window.inputC / groupC) };
  if (input.tensor.dtype === 'float32') return prepareFloat(op, shape, input, filter, bias, output);
  const requantization = channelRequantization(input, filter, output, shape.outputC, op.activation);
  if (input.tensor.dtype === 'int16') {
    const weights = int16Weights(filter);
    const accumulators = wideBias(bias);
    return () => convInt16(shape, as(input, Int16Array), weights, accumulators, requantization, as(output, Int16Array));
  }
  const weights = as(filter, Int8Array);
  const biases = bias ? as(bias, Int32Array) : null;
  const inputOffset = -zeroPointOf(input);
  return () =>
    convInt8(shape, as(input, Int8Array), inputOffset, weights, biases, requantization, as(output, Int8Array));
}

function prepareFloat(
  op: ConvOp,
  shape: ConvShape,
  input: Operand,
  filter: Operand,
  bias: Operand | null,
  output: Operand,
): () => void {
  const { min, max } = activationRangeFloat(op.activation);
  const biases = bias ? as(bias, Float32Array) : null;
  return () => {
    convFloat(shape, as(input, Float32Array), as(filter, Float32Array), biases, min, max, as(output, Float32Array));
  };
}

function convInt8(
  s: ConvShape,
  input: Int8Array,
  inputOffset: number,
  filter: Int8Array,
  bias: Int32Array | null,
  r: Requantization,
  output: Int8Array,
): void {
  let out = 0;
  for (let batch = 0; batch < s.batches; batch++) {
    for (let outY = 0; outY < s.outputH; outY++) {
      const originY = outY * s.strideH - s.padH;
      for (let outX = 0; outX < s.outputW; outX++) {
        const originX = outX * s.strideW - s.padW;
        for (let outC = 0; outC < s.outputC; outC++) {
          const firstC = Math.floor(outC / s.filtersPerGroup) * s.groupC;
          let acc = 0;
          for (let y = 0; y < s.filterH; y++) {
            const inY = originY + y * s.dilationH;
            if (inY < 0 || inY >= s.inputH) continue;
            for (let x = 0; x < s.filterW; x++) {
              const inX = originX + x * s.dilationW;
              if (inX < 0 || inX >= s.inputW) continue;
              const at = ((batch * s.inputH + inY) * s.inputW + inX) * s.inputC + firstC;
              const tap = ((outC * s.filterH + y) * s.filterW + x) * s.groupC;
              for (let c = 0; c < s.groupC; c++) {
                acc = (acc + (filter[tap + c] as number) * ((input[at + c] as number) + inputOffset)) | 0;
              }
            }
          }
          if (bias) acc = (acc + (bias[outC] as number)) | 0;
          output[out++] = requantize(acc, outC, r);
        }
      }
    }
  }
}

function convInt16(
  s: ConvShape,
  input: Int16Array,
  filter: Int8Array | Int16Array,
  bias: WideBias,
  r: Requantization,
  output: Int16Array,
): void {
  let out = 0;
  for (let batch = 0; batch < s.batches; batch++) {
    for (let outY = 0; outY < s.outputH; outY++) {
      const originY = outY * s.strideH - s.padH;
      for (let outX = 0; outX < s.outputW; outX++) {
        const originX = outX * s.strideW - s.padW;
        for (let outC = 0; outC < s.outputC; outC++) {
          const firstC = Math.floor(outC / s.filtersPerGroup) * s.groupC;
          // A double: sums of 24-bit products (weights of 16 bits: 2^16 of 31 bits) stay exact below 2^53.
          let acc = 0.0;
          for (let y = 0; y < s.filterH; y++) {
            const inY = originY + y * s.dilationH;
            if (inY < 0 || inY >= s.inputH) continue;
            for (let x = 0; x < s.filterW; x++) {
              const inX = originX + x * s.dilationW;
              if (inX < 0 || inX >= s.inputW) continue;
              const at = ((batch * s.inputH + inY) * s.inputW + inX) * s.inputC + firstC;
              const tap = ((outC * s.filterH + y) * s.filterW + x) * s.groupC;
              for (let c = 0; c < s.groupC; c++) acc += (filter[tap + c] as number) * (input[at + c] as number);
            }
          }
          if (bias.values) acc += bias.values[outC] as number;
          output[out++] = requantizeWide(acc, outC, r, bias.is64);
        }
      }
    }
  }
}

function convFloat(
  s: ConvShape,
  input: Float32Array,
  filter: Float32Array,
  bias: Float32Array | null,
  min: number,
  max: number,
  output: Float32Array,
): void {
  let out = 0;
  for (let batch = 0; batch < s.batches; batch++) {
    for (let outY = 0; outY < s.outputH; outY++) {
      const originY = outY * s.strideH - s.padH;
      for (let outX = 0; outX < s.outputW; outX++) {
        const originX = outX * s.strideW - s.padW;
        for (let outC = 0; outC < s.outputC; outC++) {
          const firstC = Math.floor(outC / s.filtersPerGroup) * s.groupC;
          let total = f(0);
          for (let y = 0; y < s.filterH; y++) {
            const inY = originY + y * s.dilationH;
            if (inY < 0 || inY >= s.inputH) continue;
            for (let x = 0; x < s.filterW; x++) {
              const inX = originX + x * s.dilationW;
              if (inX < 0 || inX >= s.inputW) continue;
              const at = ((batch * s.inputH + inY) * s.inputW + inX) * s.inputC + firstC;
              const tap = ((outC * s.filterH + y) * s.filterW + x) * s.groupC;
              for (let c = 0; c < s.groupC; c++) {
                total = f(total + f((input[at + c] as number) * (filter[tap + c] as number)));
              }
            }
          }
          output[out++] = clampFloat(f(total + (bias ? (bias[outC] as number) : 0)), min, max);
        }
      }
    }
  }
}

/** TFLite's ActivationFunctionWithMinMax with std::max and std::min: a NaN passes through. */
export function clampFloat(value: number, min: number, max: number): number {
  const raised = value < min ? min : value;
  return max < raised ? max : raised;
}
