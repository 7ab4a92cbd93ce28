/**
 * MEAN over any axes. Integer: int32 sum, zero point taken off once per element, 1/count folded into the multiplier. float32: sums run in
 * input order, one division at the end. Source of the semantics: reference/reduce.h (QuantizedMeanOrSum, Mean), micro/kernels/reduce_common.cc.
 */
import type { Op } from '../ir/graph.ts';
import { meanMultiplier } from '../ir/op-params.ts';
import { multiplyByQuantizedMultiplier, typeRange } from '../ir/quantized-math.ts';
import type { Buffers } from './buffers.ts';
import { as, asInts, inputOf, outputOf, scaleOf, zeroPointOf } from './buffers.ts';
import { affineMap, stridesOf } from './index-map.ts';

const f = Math.fround;

type MeanOp = Op & { readonly kind: 'MEAN' };

export function prepareMean(op: MeanOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const output = outputOf(buffers, op);
  const { shape } = input.tensor;
  const reduced = new Set(op.axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  const keptStrides = stridesOf(shape.map((extent, axis) => (reduced.has(axis) ? 1 : extent)));
  const target = affineMap(
    shape,
    0,
    keptStrides.map((stride, axis) => (reduced.has(axis) ? 0 : stride)),
  );
  const count = input.view.length / output.view.length;
  if (input.tensor.dtype === 'float32') {
    const [x, y] = [as(input, Float32Array), as(output, Float32Array)];
    return () => {
      y.fill(0);
      for (let i = 0; i < x.length; i++) {
        const at = target[i] as number;
        y[at] = f((y[at] as number) + (x[i] as number));
      }
      for (let i = 0; i < y.length; i++) y[i] = f((y[i] as number) / count);
    };
  }
  const [x, y] = [asInts(input), asInts(output)];
  const { multiplier, shift } = meanMultiplier(scaleOf(input), scaleOf(output), count);
  const [inputZero, outputZero] = [zeroPointOf(input), zeroPointOf(output)];
  const { min, max } = typeRange(output.tensor.dtype);
  const sums = new Int32Array(y.length);
  return () => {
    sums.fill(0);
    for (let i = 0; i < x.length; i++) {
      const at = target[i] as number;
      sums[at] = (sums[at] as number) + (x[i] as number);
    }
    for (let i = 0; i < y.length; i++) {
      const centred = ((sums[i] as number) - inputZero * count) | 0;
      const scaled = (multiplyByQuantizedMultiplier(centred, multiplier, shift) + outputZero) | 0;
      y[i] = Math.min(Math.max(scaled, min), max);
    }
  };
}
