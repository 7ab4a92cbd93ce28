/** Sums of weighted layers in dynamic fixed point: accumulators with biases, aligned to the layer's largest weight scale. */
import { assert, defined } from '../../common/errors.ts';
import { DYNAMIC_SUM_LIMIT, type RunScale } from '../ir/dynamic.ts';
import type { DynamicWeightedOp } from '../ir/dynamic-ops.ts';
import { ALIGN_SHIFT, type AlignedWeights } from '../ir/dynamic-weights.ts';
import type { Buffers } from './buffers.ts';
import { as, extentOf, inputOf, outputOf } from './buffers.ts';
import type { Window } from './window.ts';
import { windowOf } from './window.ts';

/** Aligned accumulators of all outputs, after RELU where the op has it; the array is used again by the next call. */
export type DynamicSums = (input: RunScale, biases: Int32Array) => Int32Array;

export function prepareDynamicSums(op: DynamicWeightedOp, buffers: Buffers, weights: AlignedWeights): DynamicSums {
  const aligned = new Int32Array(outputOf(buffers, op).view.length);
  const raw = rawSums(op, buffers, weights, as(inputOf(buffers, op, 0), Int8Array), aligned);
  const isRelu = op.activation !== 'NONE';
  const { multipliers, channels } = weights;
  return ({ zeroPoint }, biases) => {
    raw(zeroPoint);
    for (let i = 0; i < aligned.length; i += 1) {
      const c = i % channels;
      const sum = (aligned[i] as number) + (biases[c] as number);
      assert(Math.abs(sum) < DYNAMIC_SUM_LIMIT, `op ${op.index}: a sum leaves the accumulator`);
      // SMMULR of 256 * sum and the multiplier; the product is below 2^53.
      const value = Math.floor((sum * (multipliers[c] as number) + 2 ** (ALIGN_SHIFT - 1)) / 2 ** ALIGN_SHIFT);
      aligned[i] = isRelu && value < 0 ? 0 : value;
    }
    return aligned;
  };
}

export type Values = Int8Array | Int16Array;
export type Sums = Int32Array | Float64Array;

/** Sums of products without biases. */
export function rawSums(
  op: DynamicWeightedOp,
  buffers: Buffers,
  { filter, channels }: Pick<AlignedWeights<Values>, 'filter' | 'channels'>,
  input: Values,
  sums: Sums,
): (zeroPoint: number) => void {
  if (op.kind === 'FULLY_CONNECTED') {
    const depth = defined(inputOf(buffers, op, 1).tensor.shape[1], 'depth');
    return (zeroPoint) => {
      for (let at = 0; at < sums.length; at += 1) {
        const first = Math.floor(at / channels) * depth;
        const row = (at % channels) * depth;
        let sum = 0;
        for (let d = 0; d < depth; d += 1)
          sum += ((input[first + d] as number) - zeroPoint) * (filter[row + d] as number);
        sums[at] = sum;
      }
    };
  }
  const shape = inputOf(buffers, op, 1);
  const window = windowOf(op, inputOf(buffers, op, 0), outputOf(buffers, op), extentOf(shape, 1), extentOf(shape, 2));
  return op.kind === 'CONV_2D'
    ? (zeroPoint) => convSums(window, input, zeroPoint, filter, sums)
    : (zeroPoint) => depthwiseSums(window, input, zeroPoint, filter, sums);
}

/** Calls `visit` with the first input channel of every tap inside the input. */
function forTaps(w: Window, pixel: number, visit: (tap: number, at: number) => void): void {
  const outX = pixel % w.outputW;
  const outY = Math.floor(pixel / w.outputW) % w.outputH;
  const batch = Math.floor(pixel / (w.outputW * w.outputH));
  for (let y = 0; y < w.filterH; y += 1) {
    const inY = outY * w.strideH - w.padH + y * w.dilationH;
    if (inY < 0 || inY >= w.inputH) continue;
    for (let x = 0; x < w.filterW; x += 1) {
      const inX = outX * w.strideW - w.padW + x * w.dilationW;
      if (inX < 0 || inX >= w.inputW) continue;
      visit(y * w.filterW + x, ((batch * w.inputH + inY) * w.inputW + inX) * w.inputC);
    }
  }
}

function convSums(w: Window, input: Values, zeroPoint: number, filter: Values, sums: Sums): void {
  const length = w.filterH * w.filterW * w.inputC;
  const patch = new Int32Array(length);
  let out = 0;
  for (let pixel = 0; pixel < w.batches * w.outputH * w.outputW; pixel += 1) {
    patch.fill(0);
    forTaps(w, pixel, (tap, at) => {
      for (let c = 0; c < w.inputC; c += 1) patch[tap * w.inputC + c] = (input[at + c] as number) - zeroPoint;
    });
    for (let channel = 0; channel < w.outputC; channel += 1) {
      const row = channel * length;
      let sum = 0;
      for (let k = 0; k < length; k += 1) sum += (patch[k] as number) * (filter[row + k] as number);
      sums[out] = sum;
      out += 1;
    }
  }
}

function depthwiseSums(w: Window, input: Values, zeroPoint: number, filter: Values, sums: Sums): void {
  const multiplier = w.outputC / w.inputC;
  sums.fill(0);
  for (let pixel = 0; pixel < w.batches * w.outputH * w.outputW; pixel += 1) {
    const base = pixel * w.outputC;
    forTaps(w, pixel, (tap, at) => {
      for (let c = 0; c < w.outputC; c += 1) {
        const value = (input[at + (multiplier === 1 ? c : Math.floor(c / multiplier))] as number) - zeroPoint;
        sums[base + c] = (sums[base + c] as number) + value * (filter[tap * w.outputC + c] as number);
      }
    });
  }
}
