/** The network of network.ts as a tfjs model: what is trained. Initial weights are seeded. Development only: tfjs is no runtime dependency. */
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  initializers,
  layers,
  model,
  regularizers,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { NORMALISATION_EPSILON, layerNames, type NetworkSpec, type TrainedWeights } from './network.ts';

/** Share of the old value kept when a batch updates the running mean and variance. */
const NORMALISATION_MOMENTUM = 0.9;

export interface TrainingSetup {
  readonly seed: number;
  /** Factor of the squared weights in the loss. */
  readonly weightDecay: number;
}

export function buildModel(spec: NetworkSpec, { seed, weightDecay }: TrainingSetup): LayersModel {
  let nextSeed = seed;
  const initializer = () => initializers.heNormal({ seed: (nextSeed += 1) });
  const decay = () => regularizers.l2({ l2: weightDecay });
  const normalise = (x: SymbolicTensor, name: string): SymbolicTensor =>
    layers
      .batchNormalization({
        name: layerNames.normalisation(name),
        momentum: NORMALISATION_MOMENTUM,
        epsilon: NORMALISATION_EPSILON,
      })
      .apply(x) as SymbolicTensor;
  const relu = (x: SymbolicTensor): SymbolicTensor => layers.reLU().apply(x) as SymbolicTensor;
  const convolve = (x: SymbolicTensor, name: string, filters: number, taps: number, stride: number): SymbolicTensor =>
    layers
      .conv2d({
        name,
        filters,
        kernelSize: [taps, 1],
        strides: [stride, 1],
        padding: 'same',
        useBias: false,
        kernelInitializer: initializer(),
        kernelRegularizer: decay(),
      })
      .apply(x) as SymbolicTensor;
  const depthwise = (x: SymbolicTensor, name: string, stride: number): SymbolicTensor =>
    layers
      .depthwiseConv2d({
        name,
        kernelSize: [spec.kernel, 1],
        strides: [stride, 1],
        padding: 'same',
        useBias: false,
        depthwiseInitializer: initializer(),
      })
      .apply(x) as SymbolicTensor;

  const start = input({ shape: [spec.frames, 1, spec.channels] });
  let x = convolve(start, layerNames.stem, spec.stem.filters, spec.kernel, spec.stem.stride);
  x = relu(normalise(x, layerNames.stem));
  for (const [i, block] of spec.blocks.entries()) {
    const shortcut = x;
    const [first, second] = [layerNames.depthwise(i), layerNames.pointwise(i)];
    x = relu(normalise(depthwise(x, first, block.stride), first));
    x = normalise(convolve(x, second, block.filters, 1, 1), second);
    if (block.shortcut) x = layers.add().apply([shortcut, x]) as SymbolicTensor;
    x = relu(x);
  }
  x = layers.globalAveragePooling2d({}).apply(x) as SymbolicTensor;
  x = layers
    .dense({
      name: layerNames.logits,
      units: spec.classes,
      kernelInitializer: initializer(),
      kernelRegularizer: decay(),
    })
    .apply(x) as SymbolicTensor;
  x = layers.softmax().apply(x) as SymbolicTensor;
  return model({ inputs: start, outputs: x });
}

export function trainedWeights(network: LayersModel): TrainedWeights {
  return new Map(
    network.layers.map((layer) => [
      layer.name,
      layer.getWeights().map((weight) => weight.dataSync<'float32'>().slice()),
    ]),
  );
}

/** Class probabilities [windows, classes] of standardised windows, row by row. */
export function predict(network: LayersModel, spec: NetworkSpec, windows: readonly Float32Array[]): Float32Array {
  return tf.tidy(() => {
    const batch = batchTensor(spec, windows);
    return (network.predict(batch) as tf.Tensor).dataSync<'float32'>().slice();
  });
}

export function batchTensor(spec: NetworkSpec, windows: readonly Float32Array[]): tf.Tensor4D {
  const elements = spec.frames * spec.channels;
  const values = new Float32Array(windows.length * elements);
  for (const [i, window] of windows.entries()) values.set(window, i * elements);
  return tf.tensor4d(values, [windows.length, spec.frames, 1, spec.channels]);
}
