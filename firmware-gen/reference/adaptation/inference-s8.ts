/** Inference with trained layers in 8 bits: the twins of tl_adapt_quantize_s8 and tl_adapt_classify_s8, bit for bit. */
import type { AdaptCalibration, AdaptLayer, AdaptParams, Weights16 } from '../../ir/adaptation.ts';
import { indexOfLargest } from '../decision/heads.ts';
import { BIAS_INPUT, INT32_LIMIT, STEPS, clamp, clamp16, magnitudeBits, scaled, scaledBig, shiftTo } from './layers.ts';

export interface Layer8 {
  /** [outputs, size]. */
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  /** Dynamic: weight = int8 * 2^-exponent. */
  readonly exponent: number;
}

const clamp8 = (value: number): number => clamp(value, -128, 127);

/** @param calibration null: dynamic */
export function adaptQuantize(
  { size, outputs }: AdaptLayer,
  { exponent, weights }: Weights16,
  calibration: AdaptCalibration | null,
): Layer8 {
  const any = weights.reduce((bits, value, i) => (i % (size + 1) === size ? bits : bits | magnitudeBits(value)), 0);
  const shift = calibration === null ? shiftTo(any, 7) : 0;
  const result = {
    weights: new Int8Array(outputs * size),
    bias: new Int32Array(outputs),
    exponent: exponent - shift,
  };
  for (let c = 0; c < outputs; c += 1) {
    const scale = calibration?.weights[c];
    const factor = BigInt(scale?.multiplier ?? 1);
    const places = scale ? 31 + exponent - scale.shift : shift;
    const row = c * (size + 1);
    const of = (value: number): number => scaledBig(BigInt(value) * factor, places);
    for (let i = 0; i < size; i += 1) result.weights[c * size + i] = clamp8(of(weights[row + i]!));
    result.bias[c] = clamp(of(weights[row + size]! * BIAS_INPUT), -(2 ** 30), 2 ** 30);
  }
  return result;
}

function layerSum8({ size }: AdaptLayer, { weights, bias }: Layer8, output: number, inputs: Int16Array): number {
  let sum = bias[output]!;
  for (let i = 0; i < size; i += 1) sum += weights[output * size + i]! * inputs[i]!;
  return clamp(sum, -INT32_LIMIT, INT32_LIMIT);
}

function staticOutput({ output, outputZeroPoint }: AdaptCalibration, index: number, sum: number): number {
  const { multiplier, shift } = output[index]!;
  const value = scaledBig((BigInt(sum) * BigInt(multiplier)) >> 1n, 30 - shift);
  return clamp8(clamp(value, -1024, 1024) + outputZeroPoint);
}

function hiddenLayer(
  layer: AdaptLayer,
  layer8: Layer8,
  calibration: AdaptCalibration | null,
  features: Int16Array,
): Int16Array {
  const sums = Array.from({ length: layer.outputs }, (_, i) => {
    const sum = layerSum8(layer, layer8, i, features);
    return layer.isRelu ? Math.max(0, sum) : sum;
  });
  if (calibration !== null)
    return Int16Array.from(sums, (sum, i) =>
      clamp16((staticOutput(calibration, i, sum) - calibration.outputZeroPoint) * STEPS),
    );
  const shift = shiftTo(
    sums.reduce((bits, value) => bits | magnitudeBits(value), 0),
    7,
  );
  return Int16Array.from(sums, (sum) => clamp16(scaled(clamp8(scaled(sum, shift)), layer8.exponent - shift)));
}

/** @param calibration by layer; null: dynamic */
export function adaptClassify(
  { layers }: AdaptParams,
  layers8: readonly Layer8[],
  calibration: readonly AdaptCalibration[] | null,
  features: Int16Array,
): { label: number; scores: Int32Array } {
  const inputs =
    layers.length > 1 ? hiddenLayer(layers[0]!, layers8[0]!, calibration?.[0] ?? null, features) : features;
  const [head, held] = [layers.at(-1)!, layers8.at(-1)!];
  const own = calibration?.at(-1);
  const scores = Int32Array.from({ length: head.outputs }, (_, c) => {
    const sum = layerSum8(head, held, c, inputs);
    return own ? staticOutput(own, c, sum) : sum;
  });
  return { label: indexOfLargest(scores), scores };
}
