/**
 * DEPTHWISE_CONV_2D for int8, int16 with weights of 8 or 16 bits, and float32, any depth multiplier: output channel = input channel * multiplier + m. int16 always
 * accumulates in 64 bits. Source of the semantics: reference/{integer_ops/depthwise_conv.h,depthwiseconv_float.h}.
 */
import { activationRangeFloat } from '../ir/quantized-math.ts';
import type { Op } from '../ir/graph.ts';
import type { Buffers } from './buffers.ts';
import { as, extentOf, int16Weights, inputOf, optionalInputOf, outputOf, zeroPointOf } from './buffers.ts';
import { clampFloat } from './conv.ts';
import { channelRequantization, requantize, requantizeWide, wideBias } from './requantize.ts';
import type { Window } from './window.ts';
import { windowOf } from './window.ts';

const f = Math.fround;

type DepthwiseOp = Op & { readonly kind: 'DEPTHWISE_CONV_2D' };

export function prepareDepthwiseConv2d(op: DepthwiseOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const filter = inputOf(buffers, op, 1);
  const bias = optionalInputOf(buffers, op, 2);
  const output = outputOf(buffers, op);
  const window = windowOf(op, input, output, extentOf(filter, 1), extentOf(filter, 2));
  const multiplier = window.outputC / window.inputC;
  if (input.tensor.dtype === 'float32') {
    const { min, max } = activationRangeFloat(op.activation);
    const biases = bias ? as(bias, Float32Array) : null;
    const [x, w, y] = [as(input, Float32Array), as(filter, Float32Array), as(output, Float32Array)];
    return () => {
      forEachOutput(window, multiplier, (batch, originY, originX, inC, outC, out) => {
        const total = sumFloat(window, x, w, batch, originY, originX, inC, outC);
        y[out] = clampFloat(f(total + (biases ? (biases[outC] as number) : 0)), min, max);
      });
    };
  }
  const r = channelRequantization(input, filter, output, window.outputC, op.activation);
  if (input.tensor.dtype === 'int16') {
    const weights = int16Weights(filter);
    const wide = wideBias(bias);
    const [x, y] = [as(input, Int16Array), as(output, Int16Array)];
    return () => {
      forEachOutput(window, multiplier, (batch, originY, originX, inC, outC, out) => {
        const acc = sumInt16(window, x, weights, batch, originY, originX, inC, outC);
        y[out] = requantizeWide(acc + (wide.values ? (wide.values[outC] as number) : 0), outC, r, wide.is64);
      });
    };
  }
  const weights = as(filter, Int8Array);
  const biases = bias ? as(bias, Int32Array) : null;
  const inputOffset = -zeroPointOf(input);
  const [x, y] = [as(input, Int8Array), as(output, Int8Array)];
  return () => {
    forEachOutput(window, multiplier, (batch, originY, originX, inC, outC, out) => {
      const acc = sumInt8(window, x, inputOffset, weights, batch, originY, originX, inC, outC);
      y[out] = requantize((acc + (biases ? (biases[outC] as number) : 0)) | 0, outC, r);
    });
  };
}

type OutputVisitor = (
  batch: number,
  originY: number,
  originX: number,
  inC: number,
  outC: number,
  outIndex: number,
) => void;

function forEachOutput(w: Window, multiplier: number, visit: OutputVisitor): void {
  let out = 0;
  for (let batch = 0; batch < w.batches; batch++) {
    for (let outY = 0; outY < w.outputH; outY++) {
      const originY = outY * w.strideH - w.padH;
      for (let outX = 0; outX < w.outputW; outX++) {
        const originX = outX * w.strideW - w.padW;
        for (let inC = 0; inC < w.inputC; inC++) {
          for (let m = 0; m < multiplier; m++) {
            visit(batch, originY, originX, inC, inC * multiplier + m, out++);
          }
        }
      }
    }
  }
}

function sumInt8(
  w: Window,
  input: Int8Array,
  inputOffset: number,
  filter: Int8Array,
  batch: number,
  originY: number,
  originX: number,
  inC: number,
  outC: number,
): number {
  let acc = 0;
  for (let y = 0; y < w.filterH; y++) {
    const inY = originY + y * w.dilationH;
    if (inY < 0 || inY >= w.inputH) continue;
    for (let x = 0; x < w.filterW; x++) {
      const inX = originX + x * w.dilationW;
      if (inX < 0 || inX >= w.inputW) continue;
      const value = input[((batch * w.inputH + inY) * w.inputW + inX) * w.inputC + inC] as number;
      const weight = filter[(y * w.filterW + x) * w.outputC + outC] as number;
      acc = (acc + weight * (value + inputOffset)) | 0;
    }
  }
  return acc;
}

function sumInt16(
  w: Window,
  input: Int16Array,
  filter: Int8Array | Int16Array,
  batch: number,
  originY: number,
  originX: number,
  inC: number,
  outC: number,
): number {
  let acc = 0.0;
  for (let y = 0; y < w.filterH; y++) {
    const inY = originY + y * w.dilationH;
    if (inY < 0 || inY >= w.inputH) continue;
    for (let x = 0; x < w.filterW; x++) {
      const inX = originX + x * w.dilationW;
      if (inX < 0 || inX >= w.inputW) continue;
      const value = input[((batch * w.inputH + inY) * w.inputW + inX) * w.inputC + inC] as number;
      acc += (filter[(y * w.filterW + x) * w.outputC + outC] as number) * value;
    }
  }
  return acc;
}

function sumFloat(
  w: Window,
  input: Float32Array,
  filter: Float32Array,
  batch: number,
  originY: number,
  originX: number,
  inC: number,
  outC: number,
): number {
  let total = f(0);
  for (let y = 0; y < w.filterH; y++) {
    const inY = originY + y * w.dilationH;
    if (inY < 0 || inY >= w.inputH) continue;
    for (let x = 0; x < w.filterW; x++) {
      const inX = originX + x * w.dilationW;
      if (inX < 0 || inX >= w.inputW) continue;
      const value = input[((batch * w.inputH + inY) * w.inputW + inX) * w.inputC + inC] as number;
      total = f(total + f(value * (filter[(y * w.filterW + x) * w.outputC + outC] as number)));
    }
  }
  return total;
}
