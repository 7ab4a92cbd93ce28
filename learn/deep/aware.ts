/**
 * The encoder as int8 will have it, for training that knows (Jacob et al., arXiv 1712.05877, section 3): weights folded with the running statistics
 * of their normalisation, which no longer move, and rounded; activations rounded, with static scales within ranges that follow those of the batches,
 * with dynamic ones within each window's own. Folding first gives one scale for the whole kernel its meaning; with one per output channel it changes
 * nothing, as a channel's scale commutes with its factor. Names of activations are those of export.ts, so that the deployed graph takes exactly
 * the ranges learned.
 */
import * as tf from '@tensorflow/tfjs-core';
import { meanMultiplier } from '../../firmware-gen/ir/op-params.ts';
import type { ActivationRange } from '../quantize/calibrate.ts';
import { WEIGHTS_STEP } from '../quantize/dynamic.ts';
import { int8Format, SCALE_MIN } from '../quantize/number-format.ts';
import { fakeQuantize, type Grid } from '../tfjs/fake-quantization.ts';
import type { EncoderSpec, Granularity, QuantizationScheme } from './config.ts';
import { NORMALISATION_EPSILON, activationNames, convLayers, layerNames, sumName, type ConvLayer } from './encoder.ts';
import type { Parameters, ParameterValues } from './parameters.ts';

/** Share of the old range that a batch leaves. */
const RANGE_MOMENTUM = 0.99;
const WEIGHT_MAX = 127;

const rangeName = (activation: string): string => `${activation}_range`;

/** Ranges [least, largest]; both zero before the first batch. */
export function addRanges(parameters: Parameters, spec: EncoderSpec, channels: number): void {
  for (const name of activationNames(spec, channels)) parameters.constant(rangeName(name), [2], 0, false);
}

/** What was learned, by activation; empty for a training that did not look. */
export function learnedRanges(
  values: ParameterValues,
  spec: EncoderSpec,
  channels: number,
): Map<string, ActivationRange> {
  return new Map(
    activationNames(spec, channels).flatMap((name) => {
      const range = values.get(rangeName(name));
      return range ? [[name, { min: range[0]!, max: range[1]! }] as const] : [];
    }),
  );
}

export interface AwareOptions {
  readonly scheme: QuantizationScheme;
  readonly granularity: Granularity;
  /** Whether static ranges follow this batch. */
  readonly moving: boolean;
}

/** As encode, of inputs [batch, height, width, channels]. */
export function encodeAware(
  x: tf.Tensor4D,
  parameters: Parameters,
  spec: EncoderSpec,
  options: AwareOptions,
): tf.Tensor2D {
  const { scheme } = options;
  const gridOf = (name: string, value: tf.Tensor): Grid =>
    scheme === 'static' ? learnedGrid(value, parameters.get(rangeName(name)), options.moving) : ownGrids(value, scheme);
  const outputs = new Map<string, tf.Tensor4D>();
  let grid = gridOf('input', x);
  let y = fakeQuantize(x, grid);
  const see = (name: string, value: tf.Tensor4D): tf.Tensor4D => fakeQuantize(value, (grid = gridOf(name, value)));
  for (const layer of convLayers(spec, x.shape[3])) {
    const before = layer.shortcutFrom === null ? null : outputs.get(layer.shortcutFrom)!;
    y = foldedConvolution(y, parameters, layer, options);
    y = see(layer.name, layer.relu && !before ? tf.relu(y) : y);
    if (before) y = see(sumName(layer.name), tf.relu(tf.add<tf.Tensor4D>(before, y)));
    outputs.set(layer.name, y);
  }
  const mean = tf.mean<tf.Tensor2D>(y, [1, 2]);
  // A dynamic mean keeps the scale of what it is the mean of (passes/dynamic.ts).
  const features = roundedMean(mean, grid, scheme === 'static' ? gridOf('mean', mean) : grid, y.shape[1] * y.shape[2]);
  // Static FULLY_CONNECTED has one scale, whatever the granularity (quantize-graph.ts).
  const latent = parameters.get<tf.Rank.R2>(`${layerNames.latent}_kernel`);
  const kernel = rounded(latent, spec.latent, scheme === 'static' ? { ...options, granularity: 'tensor' } : options);
  const bias = parameters.get<tf.Rank.R1>(`${layerNames.latent}_bias`);
  const phi = tf.add<tf.Tensor2D>(tf.matMul(features, kernel), bias);
  return fakeQuantize(phi, gridOf('phi', phi));
}

/** MEAN's sums are small, so that its two roundings (TFLite's) show. @param count of values in each mean */
function roundedMean(mean: tf.Tensor2D, from: Grid, to: Grid, count: number): tf.Tensor2D {
  // Windows with scales of their own keep them, and zero points are none of the kernel's business.
  const keeps = from === to;
  const { shift } = keeps ? meanMultiplier(1, 1, count) : meanMultiplier(from.scale[0]!, to.scale[0]!, count);
  return fakeQuantize(mean, { ...to, firstBits: -shift, fromZero: keeps });
}

function foldedConvolution(
  x: tf.Tensor4D,
  parameters: Parameters,
  layer: ConvLayer,
  options: AwareOptions,
): tf.Tensor4D {
  const { name, kind, outputs } = layer;
  const of = (part: string): tf.Tensor1D => parameters.get<tf.Rank.R1>(`${name}_${part}`);
  const factor = tf.div<tf.Tensor1D>(of('gamma'), tf.sqrt(tf.add(of('variance'), NORMALISATION_EPSILON)));
  const plain = parameters.get<tf.Rank.R4>(`${name}_kernel`);
  const byChannel = kind === 'conv' ? factor : tf.reshape(factor, [outputs, 1]);
  const kernel = rounded(tf.mul<tf.Tensor4D>(plain, byChannel), outputs, options);
  const strides = layer.stride as [number, number];
  const y = kind === 'conv' ? tf.conv2d(x, kernel, strides, 'same') : tf.depthwiseConv2d(x, kernel, strides, 'same');
  return tf.add<tf.Tensor4D>(y, tf.sub(of('beta'), tf.mul(of('mean'), factor)));
}

/** Symmetric: the largest magnitude is at most 127, so nothing is clipped. @param channels of the output, innermost */
function rounded<T extends tf.Tensor>(weights: T, channels: number, { scheme, granularity }: AwareOptions): T {
  const [largest, total] = [new Float64Array(channels), new Float64Array(channels)];
  for (const [i, value] of weights.dataSync<'float32'>().entries()) {
    const magnitude = Math.abs(value);
    largest[i % channels] = Math.max(largest[i % channels]!, magnitude);
    total[i % channels]! += magnitude;
  }
  const isStatic = scheme === 'static';
  const least = Array.from(largest, (value, c) =>
    Math.max(value / WEIGHT_MAX, isStatic ? 0 : total[c]! * WEIGHTS_STEP, SCALE_MIN),
  );
  const scale = granularity === 'channel' ? least : [Math.max(...least)];
  const steps = scheme === 'dynamic-q' && granularity === 'tensor' ? scale.map(powerOfTwoFrom) : scale;
  return fakeQuantize(weights, { scale: steps.map(Math.fround), zeroPoint: [0], min: -WEIGHT_MAX, max: WEIGHT_MAX });
}

const powerOfTwoFrom = (value: number): number => 2 ** Math.ceil(Math.log2(value));

function learnedGrid(x: tf.Tensor, range: tf.Variable, moving: boolean): Grid {
  let [min, max] = range.dataSync<'float32'>() as unknown as [number, number];
  if (moving) {
    const [low, high] = extremes(x.dataSync<'float32'>());
    const kept = min === 0 && max === 0 ? 0 : RANGE_MOMENTUM;
    [min, max] = [kept * min + (1 - kept) * low, kept * max + (1 - kept) * high];
    range.assign(tf.tensor1d([min, max]));
    [min, max] = [Math.fround(min), Math.fround(max)];
  }
  const { scale, zeroPoint } = int8Format.quantizationFor({ min, max });
  return { scale, zeroPoint, min: int8Format.min, max: int8Format.max };
}

/** By window, as kernels find them at run time (ir/dynamic.ts); but for the floors of scales, which windows that are no silence do not reach. */
function ownGrids(x: tf.Tensor, scheme: 'dynamic-q' | 'dynamic-asym'): Grid {
  const values = x.dataSync<'float32'>();
  const windows = x.shape[0];
  const size = values.length / windows;
  const ranges = Array.from({ length: windows }, (_, i) => extremes(values.subarray(i * size, (i + 1) * size)));
  const { min, max } = int8Format;
  if (scheme === 'dynamic-q') {
    // Seven bits hold the largest magnitude.
    const scale = ranges.map(([low, high]) => 2 ** (Math.floor(Math.log2(Math.max(-low, high, SCALE_MIN))) - 6));
    return { scale, zeroPoint: scale.map(() => 0), min, max, outermost: true };
  }
  const grids = ranges.map(([low, high]) => int8Format.quantizationFor({ min: low, max: high }));
  return {
    ...{ scale: grids.map(({ scale }) => scale[0]!), zeroPoint: grids.map(({ zeroPoint }) => zeroPoint[0]!) },
    ...{ min, max, outermost: true },
  };
}

function extremes(values: Float32Array): [number, number] {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  return [low, high];
}
