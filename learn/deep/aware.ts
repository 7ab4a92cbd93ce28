/**
 * The encoder as static int8 will have it, for training that knows (Jacob et al., arXiv 1712.05877, section 3): weights folded with the running
 * statistics of their normalisation, which no longer move, and rounded; activations rounded within ranges that follow those of the batches.
 * Folding first gives one scale for the whole kernel its meaning; with one per output channel it changes nothing, as a channel's scale
 * commutes with its factor. Names of activations are those of export.ts, so that the deployed graph takes exactly these ranges.
 */
import * as tf from '@tensorflow/tfjs-core';
import { int8Format, SCALE_MIN } from '../quantize/number-format.ts';
import type { ActivationRange } from '../quantize/calibrate.ts';
import { fakeQuantize } from '../tfjs/fake-quantization.ts';
import type { EncoderSpec, Granularity } from './config.ts';
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
  readonly granularity: Granularity;
  /** Whether ranges follow this batch. */
  readonly moving: boolean;
}

/** As encode, of inputs [batch, height, width, channels]. */
export function encodeAware(
  x: tf.Tensor4D,
  parameters: Parameters,
  spec: EncoderSpec,
  options: AwareOptions,
): tf.Tensor2D {
  const seen = <T extends tf.Tensor>(name: string, value: T): T => activation(value, parameters, name, options.moving);
  const outputs = new Map<string, tf.Tensor4D>();
  let y = seen('input', x);
  for (const layer of convLayers(spec, x.shape[3])) {
    const before = layer.shortcutFrom === null ? null : outputs.get(layer.shortcutFrom)!;
    y = foldedConvolution(y, parameters, layer, options.granularity);
    y = seen(layer.name, layer.relu && !before ? tf.relu(y) : y);
    if (before) y = seen(sumName(layer.name), tf.relu(tf.add<tf.Tensor4D>(before, y)));
    outputs.set(layer.name, y);
  }
  const mean = seen('mean', tf.mean<tf.Tensor2D>(y, [1, 2]));
  // FULLY_CONNECTED has one scale, whatever the granularity (quantize-graph.ts).
  const kernel = rounded(parameters.get<tf.Rank.R2>(`${layerNames.latent}_kernel`), 1);
  const bias = parameters.get<tf.Rank.R1>(`${layerNames.latent}_bias`);
  return seen('phi', tf.add<tf.Tensor2D>(tf.matMul(mean, kernel), bias));
}

function foldedConvolution(
  x: tf.Tensor4D,
  parameters: Parameters,
  layer: ConvLayer,
  granularity: Granularity,
): tf.Tensor4D {
  const { name, kind, outputs } = layer;
  const of = (part: string): tf.Tensor1D => parameters.get<tf.Rank.R1>(`${name}_${part}`);
  const factor = tf.div<tf.Tensor1D>(of('gamma'), tf.sqrt(tf.add(of('variance'), NORMALISATION_EPSILON)));
  const plain = parameters.get<tf.Rank.R4>(`${name}_kernel`);
  const byChannel = kind === 'conv' ? factor : tf.reshape(factor, [outputs, 1]);
  const kernel = rounded(tf.mul<tf.Tensor4D>(plain, byChannel), granularity === 'channel' ? outputs : 1);
  const strides = layer.stride as [number, number];
  const y = kind === 'conv' ? tf.conv2d(x, kernel, strides, 'same') : tf.depthwiseConv2d(x, kernel, strides, 'same');
  return tf.add<tf.Tensor4D>(y, tf.sub(of('beta'), tf.mul(of('mean'), factor)));
}

/** Symmetric: the largest magnitude is 127, so nothing is clipped. @param scales as many as output channels, which are innermost, or one */
function rounded<T extends tf.Tensor>(weights: T, scales: number): T {
  const largest = new Float64Array(scales);
  for (const [i, value] of weights.dataSync<'float32'>().entries())
    largest[i % scales] = Math.max(largest[i % scales]!, Math.abs(value));
  const scale = Array.from(largest, (value) => Math.fround(Math.max(value / WEIGHT_MAX, SCALE_MIN)));
  return fakeQuantize(weights, { scale, zeroPoint: 0, min: -WEIGHT_MAX, max: WEIGHT_MAX });
}

function activation<T extends tf.Tensor>(x: T, parameters: Parameters, name: string, moving: boolean): T {
  const range = parameters.get<tf.Rank.R1>(rangeName(name));
  let [min, max] = range.dataSync<'float32'>() as unknown as [number, number];
  if (moving) {
    const [low, high] = extremes(x.dataSync<'float32'>());
    const kept = min === 0 && max === 0 ? 0 : RANGE_MOMENTUM;
    [min, max] = [kept * min + (1 - kept) * low, kept * max + (1 - kept) * high];
    range.assign(tf.tensor1d([min, max]));
    [min, max] = [Math.fround(min), Math.fround(max)];
  }
  const { scale, zeroPoint } = int8Format.quantizationFor({ min, max });
  return fakeQuantize(x, { scale, zeroPoint: zeroPoint[0]!, min: int8Format.min, max: int8Format.max });
}

function extremes(values: Float32Array): [number, number] {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  return [low, high];
}
