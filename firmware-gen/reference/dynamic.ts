/**
 * Dynamic fixed point, bit-exact with kernels/src/DynamicFunctions: sums are aligned to the layer's largest weight scale, their range is
 * found, one multiplier brings them to int8. docs/dynamic-quantization.md has the arithmetic.
 */
import { assert, defined } from '../../common/errors.ts';
import {
  accumulatorScale,
  boundInUnits,
  chooseRequantizer,
  growRequantizer,
  highMultiply,
  leastRange,
  outputScale,
  realignRatio,
  requantizeUnits,
  rescaleUnits,
  runBias,
  type DynamicScheme,
  type Requantizer,
  type RunScale,
} from '../ir/dynamic.ts';
import { dynamicUnits, inputScaleId, outputScaleId, stateId, type DynamicWeightedOp } from '../ir/dynamic-ops.ts';
import type { Op, TensorId } from '../ir/graph.ts';
import { alignedWeights, type AlignedWeights } from '../ir/dynamic-weights.ts';
import type { Buffers } from './buffers.ts';
import { as, inputOf, outputOf, viewOf } from './buffers.ts';
import { prepareDynamicSums } from './dynamic-sums.ts';

/** The scale a tensor has now. */
export function readScale(buffers: Buffers, id: TensorId): RunScale {
  const [multiplier = 0, shift = 0, zeroPoint = 0] = viewOf(buffers, id) as Int32Array;
  return { multiplier, shift, zeroPoint };
}

export function writeScale(buffers: Buffers, id: TensorId, { multiplier, shift, zeroPoint }: RunScale): void {
  (viewOf(buffers, id) as Int32Array).set([multiplier, shift, zeroPoint]);
}

interface Range {
  low: number;
  high: number;
}

/** Takes one value into the range: Q collects the bits of magnitudes, asym the extremes. RELU leaves nothing below zero. */
function widen(range: Range, scheme: DynamicScheme, value: number): void {
  if (scheme === 'q') range.high |= value ^ (value >> 31);
  else if (value > range.high) range.high = value;
  else if (value < range.low) range.low = value;
}

export function prepareDynamicWeighted(op: DynamicWeightedOp, buffers: Buffers): () => void {
  const { scheme, form, least } = defined(op.dynamic, 'dynamics');
  const weights = alignedWeights(op, buffers.graph);
  const output = as(outputOf(buffers, op), Int8Array);
  const sums = prepareDynamicSums(op, buffers, weights);
  const isRunning = (form === 'rows' || form === 'predicted') && op.kind !== 'FULLY_CONNECTED';
  const units = isRunning ? [...dynamicUnits(op, buffers.graph)] : [];
  const state = stateId(op);
  return () => {
    const input = readScale(buffers, inputScaleId(op));
    const scale = accumulatorScale(input, weights.scale);
    const upper = op.activation === 'RELU6' ? boundInUnits(6, scale) : 2 ** 30;
    const aligned = sums(input, runBiases(weights, input));
    const layer = { scheme, least: leastRange(scheme, least, scale), upper };
    let by: Requantizer;
    if (isRunning) by = runningRange(op, buffers, { ...layer, aligned, units, output, scale, state });
    else {
      const range = { low: 0, high: 0 };
      for (const value of aligned) widen(range, scheme, value);
      by = chooseRequantizer(scheme, range.low, Math.min(range.high, upper), layer.least);
      for (const [i, value] of aligned.entries()) output[i] = requantizeUnits(by, value);
    }
    if (op.activation === 'RELU6') clampAbove(output, requantizeUnits(by, upper));
    writeScale(buffers, outputScaleId(op), outputScale(by, scale));
  };
}

function runBiases({ biases, exponent }: AlignedWeights, input: RunScale): Int32Array {
  return Int32Array.from(biases, (bias) => runBias(bias, exponent, input));
}

function clampAbove(values: Int8Array, high: number): void {
  for (const [i, value] of values.entries()) if (value > high) values[i] = high;
}

interface RunningLayer {
  readonly scheme: DynamicScheme;
  readonly least: number;
  readonly upper: number;
  readonly aligned: Int32Array;
  readonly units: readonly (readonly number[])[];
  readonly output: Int8Array;
  readonly scale: RunScale;
  readonly state: TensorId | null;
}

/** Rows and predicted: units are written with the range known so far; where one exceeds it, earlier ones are realigned. */
function runningRange(op: Op, buffers: Buffers, layer: RunningLayer): Requantizer {
  const { scheme, least, upper, aligned, units, output, scale, state } = layer;
  const known = state === null ? null : viewOf(buffers, state);
  const start = known === null ? { low: 0, high: 0 } : predictedRange(known as Int32Array, scale);
  let by = chooseRequantizer(scheme, start.low, Math.min(start.high, upper), least);
  const range = { low: 0, high: 0 };
  for (const [n, unit] of units.entries()) {
    for (const i of unit) widen(range, scheme, aligned[i] as number);
    const high = Math.min(range.high, upper);
    if (high > by.high || range.low < by.low) {
      const next = growRequantizer(by, range.low, high, upper, least);
      realign(output, units.slice(0, n), by, next);
      by = next;
    }
    for (const i of unit) output[i] = requantizeUnits(by, aligned[i] as number);
  }
  if (known !== null)
    (known as Int32Array).set([range.low, Math.min(range.high, upper), scale.multiplier, scale.shift]);
  assert(op.outputs.length === 2, 'a weighted op gives values and a scale');
  return by;
}

function predictedRange([low = 0, high = 0, multiplier = 0, shift = 0]: Int32Array, scale: RunScale): Range {
  if (multiplier === 0) return { low: 0, high: 0 };
  const then = { multiplier, shift, zeroPoint: 0 };
  return { low: rescaleUnits(low, then, scale), high: rescaleUnits(high, then, scale) };
}

function realign(
  output: Int8Array,
  written: readonly (readonly number[])[],
  old: Requantizer,
  next: Requantizer,
): void {
  const ratio = realignRatio(old, next);
  for (const unit of written) {
    for (const i of unit) {
      const value = highMultiply(4 * ((output[i] as number) - old.zeroPoint), ratio) + next.zeroPoint;
      output[i] = Math.min(Math.max(value, -128), 127);
    }
  }
}

/** Terms of a sum get 2^20 units per step of the widest input: 9 bits of int8 difference, two terms. */
const TERM_BITS = 20;

/** ADD: both inputs in units of 2^-20 of the larger scale, then as a weighted layer; the range is found before anything is written. */
export function prepareDynamicAdd(op: Op & { readonly kind: 'ADD' | 'SUB' | 'MUL' }, buffers: Buffers): () => void {
  const { scheme, least } = defined(op.dynamic, 'dynamics');
  const inputs = [0, 1].map((i) => as(inputOf(buffers, op, i), Int8Array)) as [Int8Array, Int8Array];
  const output = as(outputOf(buffers, op), Int8Array);
  return () => {
    const scales = [readScale(buffers, inputScaleId(op, 0)), readScale(buffers, inputScaleId(op, 1))] as const;
    const [a, b] = inputs;
    const wide = widerScale(scales[0], scales[1]);
    const scale = { multiplier: wide.multiplier, shift: wide.shift - TERM_BITS, zeroPoint: 0 };
    const factors = scales.map((own) => rescaleUnits(2 ** TERM_BITS, own, wide)) as [number, number];
    const isRelu = op.activation !== 'NONE';
    const upper = op.activation === 'RELU6' ? boundInUnits(6, scale) : 2 ** 30;
    const sum = (i: number): number => {
      const total =
        ((a[i] as number) - scales[0].zeroPoint) * factors[0] + ((b[i] as number) - scales[1].zeroPoint) * factors[1];
      return isRelu && total < 0 ? 0 : total;
    };
    const range = { low: 0, high: 0 };
    for (let i = 0; i < output.length; i += 1) widen(range, scheme, sum(i));
    const by = chooseRequantizer(scheme, range.low, Math.min(range.high, upper), leastRange(scheme, least, scale));
    for (let i = 0; i < output.length; i += 1) output[i] = requantizeUnits(by, sum(i));
    if (op.activation === 'RELU6') clampAbove(output, requantizeUnits(by, upper));
    writeScale(buffers, outputScaleId(op), outputScale(by, scale));
  };
}

/** The first unless the second is larger. */
export function widerScale(a: RunScale, b: RunScale): RunScale {
  return b.shift > a.shift || (b.shift === a.shift && b.multiplier > a.multiplier) ? b : a;
}

/** CONCATENATION: Q takes the coarsest scale, asym the union of the ranges that the inputs can hold. */
export function prepareDynamicConcatenation(op: Op & { readonly kind: 'CONCATENATION' }, buffers: Buffers): () => void {
  const { scheme, least } = defined(op.dynamic, 'dynamics');
  const count = op.inputs.length / 2;
  const parts = Array.from({ length: count }, (_, i) => inputOf(buffers, op, i));
  const output = outputOf(buffers, op);
  const [views, target] = [parts.map((part) => as(part, Int8Array)), as(output, Int8Array)];
  const blocks = parts.map((part) => part.tensor.shape.slice(op.axis).reduce((x, y) => x * y, 1));
  const outer = output.tensor.shape.slice(0, op.axis).reduce((x, y) => x * y, 1);
  const row = blocks.reduce((x, y) => x + y, 0);
  assert(outer * row === extentProduct(output.tensor.shape), 'parts fill the output');
  return () => {
    const scales = parts.map((_, i) => readScale(buffers, inputScaleId(op, i)));
    const wide = scales.reduce(widerScale);
    const scale = { multiplier: wide.multiplier, shift: wide.shift - TERM_BITS, zeroPoint: 0 };
    const factors = scales.map((own) => rescaleUnits(2 ** TERM_BITS, own, wide));
    const low = Math.min(0, ...scales.map((own, i) => (-128 - own.zeroPoint) * (factors[i] as number)));
    const high = Math.max(0, ...scales.map((own, i) => (127 - own.zeroPoint) * (factors[i] as number)));
    const by =
      scheme === 'q'
        ? chooseRequantizer('q', 0, 127 * 2 ** TERM_BITS, leastRange(scheme, least, scale))
        : chooseRequantizer('asym', low, high, leastRange(scheme, least, scale));
    let offset = 0;
    for (const [i, view] of views.entries()) {
      const block = blocks[i] as number;
      const { zeroPoint } = scales[i] as RunScale;
      for (const [k, value] of view.entries()) {
        const at = Math.floor(k / block) * row + offset + (k % block);
        target[at] = requantizeUnits(by, (value - zeroPoint) * (factors[i] as number));
      }
      offset += block;
    }
    writeScale(buffers, outputScaleId(op), outputScale(by, scale));
  };
}

function extentProduct(shape: readonly number[]): number {
  return shape.reduce((x, y) => x * y, 1);
}
