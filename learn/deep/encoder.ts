/**
 * The encoder: a convolution, depthwise-separable blocks (arXiv 1704.04861), global mean, dense layer to the features. Batch normalisation
 * follows every convolution. The same names serve training, folding and export.
 */
import * as tf from '@tensorflow/tfjs-core';
import { normaliseByBatch } from '../tfjs/normalisation-kernels.ts';
import type { EncoderSpec } from './config.ts';
import type { Parameters } from './parameters.ts';

export const NORMALISATION_EPSILON = 1e-3;
/** Share of the old running statistics that a batch leaves. */
const NORMALISATION_MOMENTUM = 0.9;

/** [height, width, channels] of one input. */
export type InputShape = readonly [number, number, number];

export const layerNames = {
  stem: 'stem',
  depthwise: (block: number) => `block${block}_depthwise`,
  pointwise: (block: number) => `block${block}_pointwise`,
  latent: 'latent',
} as const;

/** What a layer with a shortcut gives after the addition. */
export const sumName = (layer: string): string => `${layer}_sum`;

/** A layer with a kernel and a normalisation. */
export interface ConvLayer {
  readonly name: string;
  readonly kind: 'conv' | 'depthwise';
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly inputs: number;
  readonly outputs: number;
  readonly relu: boolean;
  /** Its output is added to that of the layer so many places before. */
  readonly shortcutFrom: string | null;
}

/** The convolutions in order. */
export function convLayers(spec: EncoderSpec, channels: number): ConvLayer[] {
  const { kernel, stem } = spec;
  const layers: ConvLayer[] = [
    {
      name: layerNames.stem,
      kind: 'conv',
      kernel,
      stride: stem.stride,
      inputs: channels,
      outputs: stem.filters,
      relu: true,
      shortcutFrom: null,
    },
  ];
  let [depth, previous] = [stem.filters, layerNames.stem as string];
  for (const [i, block] of spec.blocks.entries()) {
    const common = { inputs: depth, shortcutFrom: null };
    const depthwise = { kind: 'depthwise', kernel, stride: block.stride, outputs: depth, relu: true } as const;
    layers.push({ ...common, ...depthwise, name: layerNames.depthwise(i) });
    const pointwise = { kind: 'conv', kernel: [1, 1], stride: [1, 1], outputs: block.filters } as const;
    const name = layerNames.pointwise(i);
    layers.push({ ...common, ...pointwise, name, relu: true, shortcutFrom: block.shortcut ? previous : null });
    [depth, previous] = [block.filters, name];
  }
  return layers;
}

/** Everything that an int8 encoder rounds, in order, under the names that export.ts gives it; an image's product is its "input" here. */
export function activationNames(spec: EncoderSpec, channels: number): string[] {
  const layers = convLayers(spec, channels).flatMap(({ name, shortcutFrom }) =>
    shortcutFrom === null ? [name] : [name, sumName(name)],
  );
  return ['input', ...layers, 'mean', 'phi'];
}

export function addEncoderParameters(parameters: Parameters, spec: EncoderSpec, channels: number): void {
  const layers = convLayers(spec, channels);
  for (const { name, kind, kernel, inputs, outputs } of layers) {
    const [h, w] = kernel;
    if (kind === 'conv') parameters.weight(`${name}_kernel`, [h, w, inputs, outputs], h * w * inputs);
    else parameters.weight(`${name}_kernel`, [h, w, inputs, 1], h * w);
    addNormalisation(parameters, name, outputs);
  }
  const features = layers.at(-1)!.outputs;
  parameters.weight(`${layerNames.latent}_kernel`, [features, spec.latent], features);
  parameters.constant(`${layerNames.latent}_bias`, [spec.latent], 0);
}

export function addNormalisation(parameters: Parameters, name: string, channels: number): void {
  parameters.constant(`${name}_gamma`, [channels], 1);
  parameters.constant(`${name}_beta`, [channels], 0);
  parameters.constant(`${name}_mean`, [channels], 0, false);
  parameters.constant(`${name}_variance`, [channels], 1, false);
}

/** Over all axes but the last. @param training with the batch's own statistics, which also move the running ones */
export function normalise<T extends tf.Tensor>(x: T, parameters: Parameters, name: string, training: boolean): T {
  const [mean, variance] = [parameters.get<tf.Rank.R1>(`${name}_mean`), parameters.get<tf.Rank.R1>(`${name}_variance`)];
  const [beta, gamma] = [parameters.get<tf.Rank.R1>(`${name}_beta`), parameters.get<tf.Rank.R1>(`${name}_gamma`)];
  if (!training) {
    // One product and one sum: the backend's own kernel has a gradient that takes longer than the rest of the network.
    const factor = tf.div(gamma, tf.sqrt(tf.add(variance, NORMALISATION_EPSILON)));
    return tf.add(tf.mul(x, factor), tf.sub(beta, tf.mul(mean, factor)));
  }
  const batch = normaliseByBatch(x, gamma, beta, NORMALISATION_EPSILON);
  for (const [running, value] of [
    [mean, batch.mean],
    [variance, batch.variance],
  ] as const)
    running.assign(
      tf.add<tf.Tensor1D>(tf.mul(running, NORMALISATION_MOMENTUM), tf.mul(value, 1 - NORMALISATION_MOMENTUM)),
    );
  return batch.y;
}

/** Features [batch, latent] of inputs [batch, height, width, channels]. */
export function encode(x: tf.Tensor4D, parameters: Parameters, spec: EncoderSpec, training: boolean): tf.Tensor2D {
  const outputs = new Map<string, tf.Tensor4D>();
  let y = x;
  for (const layer of convLayers(spec, x.shape[3])) {
    const kernel = parameters.get<tf.Rank.R4>(`${layer.name}_kernel`);
    const strides = layer.stride as [number, number];
    y = layer.kind === 'conv' ? tf.conv2d(y, kernel, strides, 'same') : tf.depthwiseConv2d(y, kernel, strides, 'same');
    y = normalise(y, parameters, layer.name, training);
    if (layer.shortcutFrom !== null) y = tf.add(y, outputs.get(layer.shortcutFrom)!);
    if (layer.relu) y = tf.relu(y);
    outputs.set(layer.name, y);
  }
  return dense(tf.mean(y, [1, 2]), parameters, layerNames.latent);
}

export function dense(x: tf.Tensor2D, parameters: Parameters, name: string): tf.Tensor2D {
  return tf.add(tf.matMul(x, parameters.get<tf.Rank.R2>(`${name}_kernel`)), parameters.get<tf.Rank.R1>(`${name}_bias`));
}
