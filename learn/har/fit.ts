/**
 * Trains one network: mini-batches of windows cut at random offsets, equally many of every class and subject, SGD with momentum and a
 * cosine learning rate. Everything random comes from one seed. Development only (tfjs).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { defined } from '../../common/errors.ts';
import { standardise, type Pipeline } from '../pipeline.ts';
import { createRandom, type Random } from '../random.ts';
import { augment, type Augmentation } from './augment.ts';
import type { Recording } from './dataset.ts';
import type { NetworkSpec } from './network.ts';
import { batchTensor, buildModel } from './tfjs-network.ts';

export interface FitOptions {
  readonly seed: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Probability moved from the true class to all classes alike. */
  readonly labelSmoothing: number;
  readonly augmentation: Augmentation;
}

/** `report` gets a line now and then. Recordings of other classes, and those shorter than a window, are left out. */
export async function fit(
  recordings: readonly Recording[],
  spec: NetworkSpec,
  pipeline: Pipeline,
  options: FitOptions,
  report: (line: string) => void,
): Promise<LayersModel> {
  const random = createRandom(options.seed);
  const byClass = pipeline.classes.map((label) =>
    recordings.filter((recording) => recording.label === label && recording.frames >= spec.frames),
  );
  const network = buildModel(spec, options);
  const optimizer = tf.train.momentum(options.learningRate, options.momentum, true);
  network.compile({ optimizer, loss: 'categoricalCrossentropy' });
  let smoothedLoss: number | null = null;
  for (let step = 0; step < options.steps; step += 1) {
    optimizer.setLearningRate(options.learningRate * 0.5 * (1 + Math.cos((Math.PI * step) / options.steps)));
    const { windows, labels } = drawBatch(byClass, spec, pipeline, options, random);
    const x = batchTensor(spec, windows);
    const y = smoothedTargets(labels, spec.classes, options.labelSmoothing);
    const loss = Number(await network.trainOnBatch(x, y));
    tf.dispose([x, y]);
    smoothedLoss = smoothedLoss === null ? loss : 0.98 * smoothedLoss + 0.02 * loss;
    if ((step + 1) % 100 === 0) report(`step ${step + 1}/${options.steps}, loss ${smoothedLoss.toFixed(4)}`);
  }
  return network;
}

function smoothedTargets(labels: readonly number[], classes: number, smoothing: number): tf.Tensor2D {
  const values = new Float32Array(labels.length * classes).fill(smoothing / classes);
  for (const [i, label] of labels.entries()) values[i * classes + label]! += 1 - smoothing;
  return tf.tensor2d(values, [labels.length, classes]);
}

/** Classes in turn, a random recording of each, a random offset in it. */
function drawBatch(
  byClass: readonly (readonly Recording[])[],
  spec: NetworkSpec,
  pipeline: Pipeline,
  { batch, augmentation }: FitOptions,
  random: Random,
): { windows: Float32Array[]; labels: number[] } {
  const labels = Array.from({ length: batch }, (_, i) => i % byClass.length);
  const windows = labels.map((label) => {
    const recordings = defined(byClass[label], `recordings of class ${label}`);
    const { samples, frames } = defined(recordings[random.integer(recordings.length)], `a recording of class ${label}`);
    const start = random.integer(frames - spec.frames + 1) * spec.channels;
    const window = samples.subarray(start, start + spec.frames * spec.channels);
    return standardise(augment(window, augmentation, random), pipeline);
  });
  return { windows, labels };
}
