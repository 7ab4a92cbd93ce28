/**
 * Dynamic fixed point with int16 activations, bit-exact with the kernels of tl_dynamic_s16.h: as dynamic.ts, but without zero points, with
 * sums that are shifted to 32 bits first, and always in the full form. docs/dynamic-quantization.md has the arithmetic.
 */
import { assert, defined } from '../../common/errors.ts';
import {
  LEVELS_16,
  accumulatorScale,
  boundInUnits,
  chooseRequantizer,
  highMultiply,
  leastRange,
  outputScale,
  requantizeUnits,
  rescaleUnits,
  runBias,
  type RunScale,
} from '../ir/dynamic.ts';
import { inputScaleId, outputScaleId, type DynamicWeightedOp } from '../ir/dynamic-ops.ts';
import { WIDE_SUM_LIMIT, wideWeights } from '../ir/dynamic-weights.ts';
import type { Activation, Op } from '../ir/graph.ts';
import type { Buffers } from './buffers.ts';
import { as, inputOf, outputOf } from './buffers.ts';
import { readScale, widerScale, writeScale } from './dynamic.ts';
import { rawSums } from './dynamic-sums.ts';

/** Values with a unit of `scale` to int16, by their largest magnitude; the output's scale is written. */
function finish(
  op: Op & { readonly activation: Activation },
  buffers: Buffers,
  units: Int32Array,
  scale: RunScale,
  output: Int16Array,
): void {
  const { scheme, least } = defined(op.dynamic, 'dynamics');
  const upper = op.activation === 'RELU6' ? boundInUnits(6, scale) : 2 ** 30;
  let high = 0;
  for (const [i, value] of units.entries()) {
    if (op.activation !== 'NONE' && value < 0) units[i] = 0;
    const kept = units[i] as number;
    high = Math.max(high, kept ^ (kept >> 31));
  }
  const floor = leastRange(scheme, least, scale, LEVELS_16);
  const by = chooseRequantizer(scheme, 0, Math.min(high, upper), floor, LEVELS_16);
  for (const [i, value] of units.entries()) output[i] = requantizeUnits(by, Math.min(value, upper));
  writeScale(buffers, outputScaleId(op), outputScale(by, scale));
}

export function prepareDynamicWeightedS16(op: DynamicWeightedOp, buffers: Buffers): () => void {
  const weights = wideWeights(op, buffers.graph);
  const { channels, multipliers, biases, exponent, sumShift } = weights;
  const output = as(outputOf(buffers, op), Int16Array);
  const sums = new Float64Array(output.length);
  const raw = rawSums(op, buffers, weights, as(inputOf(buffers, op, 0), Int16Array), sums);
  const units = new Int32Array(output.length);
  return () => {
    const input = readScale(buffers, inputScaleId(op));
    const ran = Float64Array.from(biases, (bias) => runBias(bias, exponent, input));
    raw(0);
    for (const [i, sum] of sums.entries()) {
      const shifted = Math.floor((sum + (ran[i % channels] as number)) / 2 ** sumShift + 0.5);
      assert(Math.abs(shifted) <= WIDE_SUM_LIMIT, `op ${op.index}: a sum leaves the accumulator`);
      units[i] = highMultiply(shifted, multipliers[i % channels] as number);
    }
    // 2^30 * ratio / 2^32: an aligned sum counts four steps of a shifted one. accumulatorScale has 2^-6 for the 8-bit kernels.
    const { multiplier, shift } = accumulatorScale(input, weights.scale);
    finish(op, buffers, units, { multiplier, shift: shift + 6 + sumShift + 2, zeroPoint: 0 }, output);
  };
}

/** Factors count in 2^-28, terms and their sums in 2^-14 of the coarser scale. */
const FACTOR_BITS = 28;
const TERM_BITS = 14;

const scaled = (product: number): number => Math.floor(product / 2 ** (FACTOR_BITS - TERM_BITS) + 0.5);

export function prepareDynamicAddS16(op: Op & { readonly kind: 'ADD' | 'SUB' | 'MUL' }, buffers: Buffers): () => void {
  const [a, b] = [0, 1].map((i) => as(inputOf(buffers, op, i), Int16Array)) as [Int16Array, Int16Array];
  const output = as(outputOf(buffers, op), Int16Array);
  const units = new Int32Array(output.length);
  return () => {
    const [first, second] = [readScale(buffers, inputScaleId(op, 0)), readScale(buffers, inputScaleId(op, 1))];
    const wide = widerScale(first, second);
    const [factorA, factorB] = [first, second].map((own) => rescaleUnits(2 ** FACTOR_BITS, own, wide)) as [
      number,
      number,
    ];
    for (let i = 0; i < units.length; i += 1)
      units[i] = scaled((a[i] as number) * factorA + (b[i] as number) * factorB);
    finish(op, buffers, units, { multiplier: wide.multiplier, shift: wide.shift - TERM_BITS, zeroPoint: 0 }, output);
  };
}

/** Both schemes take the coarsest scale, or the floor of the output where that is coarser: nothing needs to be found. */
export function prepareDynamicConcatenationS16(
  op: Op & { readonly kind: 'CONCATENATION' },
  buffers: Buffers,
): () => void {
  const { least } = defined(op.dynamic, 'dynamics');
  const parts = Array.from({ length: op.inputs.length / 2 }, (_, i) => inputOf(buffers, op, i));
  const views = parts.map((part) => as(part, Int16Array));
  const blocks = parts.map((part) => part.tensor.shape.slice(op.axis).reduce((x, y) => x * y, 1));
  const target = as(outputOf(buffers, op), Int16Array);
  const row = blocks.reduce((x, y) => x + y, 0);
  return () => {
    const scales = parts.map((_, i) => readScale(buffers, inputScaleId(op, i)));
    const wide = scales.reduce(widerScale, least ?? (scales[0] as RunScale));
    let offset = 0;
    for (const [i, view] of views.entries()) {
      const block = blocks[i] as number;
      const factor = rescaleUnits(2 ** FACTOR_BITS, scales[i] as RunScale, wide);
      for (const [k, value] of view.entries()) {
        const at = Math.floor(k / block) * row + offset + (k % block);
        target[at] = Math.floor((value * factor) / 2 ** FACTOR_BITS + 0.5);
      }
      offset += block;
    }
    writeScale(buffers, outputScaleId(op), { ...wide, zeroPoint: 0 });
  };
}
