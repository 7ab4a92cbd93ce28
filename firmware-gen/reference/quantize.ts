/**
 * QUANTIZE (float32 to int8, uint8, int16, int32; between integer types) and DEQUANTIZE. Source of the semantics:
 * reference/{quantize.h,dequantize.h,requantize.h}. Where C leaves the float-to-int cast undefined, this saturates, and NaN counts as 0.
 */
import { assert } from '../../common/errors.ts';
import type { Op } from '../ir/graph.ts';
import { requantizeMultiplier } from '../ir/op-params.ts';
import { multiplyByQuantizedMultiplier, roundHalfAwayFromZero, typeRange } from '../ir/quantized-math.ts';
import type { Buffers } from './buffers.ts';
import { as, asInts, inputOf, outputOf, scaleOf, zeroPointOf } from './buffers.ts';

const f = Math.fround;

export function prepareQuantize(op: Op, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const output = outputOf(buffers, op);
  const y = asInts(output);
  const { min, max } = typeRange(output.tensor.dtype);
  const outputZero = zeroPointOf(output);
  if (input.tensor.dtype === 'float32') {
    const x = as(input, Float32Array);
    const scale = scaleOf(output);
    return () => {
      for (let i = 0; i < x.length; i++) {
        const quotient = f((x[i] as number) / scale);
        const steps = Number.isNaN(quotient) ? 0 : roundHalfAwayFromZero(quotient);
        y[i] = Math.min(Math.max(steps + outputZero, min), max);
      }
    };
  }
  const x = asInts(input);
  const { multiplier, shift } = requantizeMultiplier(scaleOf(input), scaleOf(output));
  const inputZero = zeroPointOf(input);
  return () => {
    for (let i = 0; i < x.length; i++) {
      const centred = ((x[i] as number) - inputZero) | 0;
      const scaled = (multiplyByQuantizedMultiplier(centred, multiplier, shift) + outputZero) | 0;
      y[i] = Math.max(Math.min(scaled, max), min);
    }
  };
}

/** scale * (value - zeroPoint) in double, then rounded to float32. One rounding: the product of a 24-bit and a 17-bit number is exact. */
export function prepareDequantize(op: Op, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  assert(input.tensor.quantization?.scale.length === 1, `DEQUANTIZE op ${op.index}: activations are per tensor`);
  const [x, y] = [asInts(input), as(outputOf(buffers, op), Float32Array)];
  const [scale, zeroPoint] = [scaleOf(input), zeroPointOf(input)];
  return () => {
    for (let i = 0; i < x.length; i++) y[i] = scale * ((x[i] as number) - zeroPoint);
  };
}
