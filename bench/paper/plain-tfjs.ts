/** The HAR network written with tfjs's own layers and optimiser: what a training costs without our kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import type { EncoderSpec } from '../../learn/deep/config.ts';
import { NORMALISATION_EPSILON } from '../../learn/deep/encoder.ts';

function layersModel({ kernel, stem, blocks, latent }: EncoderSpec, inputShape: number[], classes: number): Sequential {
  const model = sequential();
  const window = (size: readonly [number, number], stride: readonly [number, number]) => ({
    ...{ kernelSize: [...size] as [number, number], strides: [...stride] as [number, number] },
    ...({ padding: 'same', useBias: false } as const),
  });
  const convolution = (filters: number, ...rest: Parameters<typeof window>) => ({ filters, ...window(...rest) });
  const normalise = (): void => {
    model.add(layers.batchNormalization({ epsilon: NORMALISATION_EPSILON, momentum: 0.9 }));
    model.add(layers.reLU());
  };
  model.add(layers.conv2d({ ...convolution(stem.filters, kernel, stem.stride), inputShape }));
  normalise();
  for (const block of blocks) {
    model.add(layers.depthwiseConv2d(window(kernel, block.stride)));
    normalise();
    model.add(layers.conv2d(convolution(block.filters, [1, 1], [1, 1])));
    normalise();
  }
  model.add(layers.globalAveragePooling2d({}));
  model.add(layers.dense({ units: latent }));
  model.add(layers.dense({ units: classes, activation: 'softmax' }));
  return model;
}

export interface PlainOptions {
  readonly backend: 'cpu' | 'wasm';
  readonly encoder: EncoderSpec;
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly batch: number;
  readonly steps: number;
}

/** Windows a second over `steps` batches of random windows, after two that are not timed; or why it cannot train. */
export async function plainThroughput(
  options: PlainOptions,
): Promise<{ samplesPerSecond: number } | { error: string }> {
  const { backend, encoder, input, classes, batch, steps } = options;
  await tf.setBackend(backend);
  const model = layersModel(encoder, [...input], classes);
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9, true), loss: 'categoricalCrossentropy' });
  const x = tf.randomNormal([batch, ...input], 0, 1, 'float32', 1);
  const y = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % classes),
      'int32',
    ),
    classes,
  );
  try {
    for (let i = 0; i < 2; i += 1) await model.trainOnBatch(x, y);
    const start = performance.now();
    for (let i = 0; i < steps; i += 1) await model.trainOnBatch(x, y);
    return { samplesPerSecond: (1000 * batch * steps) / (performance.now() - start) };
  } catch (error) {
    return { error: (error as Error).message.split('\n')[0]!.slice(0, 100) };
  } finally {
    tf.dispose([x, y]);
    model.dispose();
  }
}
