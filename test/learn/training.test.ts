/** Parts of the training that can be checked in seconds: the gradients we registered, the augmentation, the data set's rules, the folding. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { augment } from '../../learn/har/augment.ts';
import { cutWindows, loadDataset } from '../../learn/har/dataset.ts';
import { networkGraph } from '../../learn/har/network-graph.ts';
import type { NetworkSpec } from '../../learn/har/network.ts';
import { argmaxRows, evaluate, recalls } from '../../learn/har/report.ts';
import { batchTensor, buildModel, predict, trainedWeights } from '../../learn/har/tfjs-network.ts';
import { createRandom, shuffle } from '../../learn/random.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';

const random = createRandom(11);
const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());

beforeAll(startTfjs);

/** Sum of output * weights is linear in x and in the filter, so a central difference is exact up to float32 rounding. */
function differences(values: Float32Array, loss: (changed: Float32Array) => number): number[] {
  const step = 0.5;
  return [...values.keys()].map((i) => {
    const at = (delta: number): number => loss(values.map((value, k) => (k === i ? value + delta : value)));
    return (at(step) - at(-step)) / (2 * step);
  });
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
  // float32 sums of some tens of products of normal values.
  expect(worst).toBeLessThan(1e-4);
}

type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D;

describe('gradient kernels for the wasm backend', () => {
  const xShape: [number, number, number, number] = [2, 7, 2, 3];
  const conv =
    (strides: [number, number], pad: 'same' | 'valid'): Convolve =>
    (x, filter) =>
      tf.conv2d(x, filter, strides, pad);
  const depthwise =
    (strides: [number, number], pad: 'same' | 'valid'): Convolve =>
    (x, filter) =>
      tf.depthwiseConv2d(x, filter, strides, pad);

  it.each<readonly [string, [number, number, number, number], Convolve]>([
    ['convolution, stride 1, same', [3, 1, 3, 4], conv([1, 1], 'same')],
    ['convolution of two axes, stride 1, same', [3, 3, 3, 4], conv([1, 1], 'same')],
    ['convolution, stride 2, same', [3, 2, 3, 4], conv([2, 2], 'same')],
    ['convolution, valid', [3, 2, 3, 4], conv([2, 1], 'valid')],
    ['pointwise convolution', [1, 1, 3, 4], conv([1, 1], 'same')],
    ['depthwise convolution, stride 1', [3, 1, 3, 1], depthwise([1, 1], 'same')],
    // Not [2, 2]: with a stride above the filter's width the backend's own forward kernel is wrong (4.22.0).
    ['depthwise convolution, stride 2', [3, 1, 3, 1], depthwise([2, 1], 'same')],
    ['depthwise convolution with multiplier 2', [3, 2, 3, 2], depthwise([1, 1], 'valid')],
  ])('should agree with finite differences: %s', (_title, filterShape, convolve) => {
    const [xs, filters] = [normal(84), normal(filterShape.reduce((a, b) => a * b, 1))];
    const run = (x: Float32Array, filter: Float32Array): tf.Tensor4D =>
      convolve(tf.tensor4d(x, xShape), tf.tensor4d(filter, filterShape));
    const outputs = run(xs, filters);
    const weights = normal(outputs.size);
    const loss = (x: Float32Array, filter: Float32Array): number => {
      const values = run(x, filter).dataSync<'float32'>();
      return values.reduce((sum, value, i) => sum + value * weights[i]!, 0);
    };
    const gradients = tf.grads((x, filter) => convolve(x as tf.Tensor4D, filter as tf.Tensor4D));
    const [dx, dFilter] = gradients(
      [tf.tensor4d(xs, xShape), tf.tensor4d(filters, filterShape)],
      tf.tensor4d(weights, outputs.shape),
    );
    expectClose(
      dx!.dataSync<'float32'>(),
      differences(xs, (x) => loss(x, filters)),
    );
    expectClose(
      dFilter!.dataSync<'float32'>(),
      differences(filters, (filter) => loss(xs, filter)),
    );
  });
});

describe('networkGraph', () => {
  const spec: NetworkSpec = {
    frames: 9,
    channels: 2,
    classes: 3,
    kernel: 3,
    stem: { filters: 4, stride: 2 },
    blocks: [
      { filters: 6, stride: 2, shortcut: false },
      { filters: 6, stride: 1, shortcut: true },
    ],
  };

  it('should compute what the tfjs model computes, normalisation folded', async () => {
    const network = buildModel(spec, { seed: 4, weightDecay: 0 });
    network.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy' });
    const windows = Array.from({ length: 12 }, () => normal(18));
    // A few steps, so that the running mean and variance are not 0 and 1.
    const y = tf.tensor2d(
      windows.flatMap((_, i) => [0, 1, 2].map((c) => Number(i % 3 === c))),
      [12, 3],
    );
    for (let step = 0; step < 5; step += 1) await network.trainOnBatch(batchTensor(spec, windows), y);
    const expected = predict(network, spec, windows);
    const reference = createReference(networkGraph('small', spec, trainedWeights(network)));
    const actual = windows.flatMap((window) => {
      const [output] = reference.runOutputs([new Uint8Array(window.slice().buffer)]);
      return [...new Float32Array(output!.slice().buffer)];
    });
    const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });

  it('should name the layer that was not trained', () => {
    expect(() => networkGraph('small', spec, new Map())).toThrow('trained layer stem is missing');
  });
});

describe('augment', () => {
  const window = normal(60);
  const triplets = (values: Float32Array, offset: number): number[] =>
    Array.from({ length: 10 }, (_, frame) =>
      Math.hypot(...values.subarray(6 * frame + offset, 6 * frame + offset + 3)),
    );

  it('should keep lengths under rotation and half turns', () => {
    const turned = augment(window, { rotation: 2, gain: 0, flip: 0.5 }, createRandom(2));
    expect(turned).not.toEqual(window);
    for (const offset of [0, 3]) {
      const before = triplets(window, offset);
      triplets(turned, offset).forEach((length, i) => expect(length).toBeCloseTo(before[i]!, 5));
    }
  });

  it('should leave gravity as it is when the gain changes', () => {
    const louder = augment(window, { rotation: 0, gain: 1, flip: 0 }, createRandom(3));
    const mean = (values: Float32Array, c: number): number =>
      values.reduce((sum, value, i) => (i % 6 === c ? sum + value / 10 : sum), 0);
    for (const c of [0, 1, 2]) expect(mean(louder, c)).toBeCloseTo(mean(window, c), 5);
    expect(Math.abs(louder[3]! / window[3]! - 1)).toBeGreaterThan(0.01);
  });

  it('should do nothing when nothing is asked for', () => {
    const same = augment(window, { rotation: 0, gain: 0, flip: 0 }, createRandom(3));
    same.forEach((value, i) => expect(value).toBeCloseTo(window[i]!, 5));
  });
});

describe('loadDataset', () => {
  const manifest = {
    channels: ['a', 'b'],
    scale: [1, 1],
    units: ['m/s^2', 'm/s^2'],
    sampleRateHz: 20,
    recordings: [
      { id: 'r0', subject: 1, label: 'x', split: 'train', file: 's.i16', offsetFrames: 0, frames: 2 },
      { id: 'r1', subject: 1, label: 'y', split: 'val', file: 's.i16', offsetFrames: 2, frames: 5 },
    ],
  };
  const folderWith = (content: object): string => {
    const folder = mkdtempSync(join(tmpdir(), 'motion-'));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(content));
    writeFileSync(join(folder, 's.i16'), new Uint8Array(Int16Array.from({ length: 14 }, (_, i) => i - 7).buffer));
    return folder;
  };

  it('should read recordings and cut windows of the wanted classes', () => {
    const data = loadDataset(folderWith(manifest));
    expect([...data.recordings[1]!.samples]).toEqual([-3, -2, -1, 0, 1, 2, 3, 4, 5, 6]);
    const windows = cutWindows(data, { classes: ['z', 'y'], windowFrames: 2, hopFrames: 2 });
    expect(windows.map(({ label, samples }) => [label, ...samples])).toEqual([
      [1, -3, -2, -1, 0],
      [1, 1, 2, 3, 4],
    ]);
  });

  const segmented = (segments: object[]) => ({
    channels: ['a', 'b'],
    scale: [0.5, 2],
    units: ['g', 'rad/s'],
    sampleRateHz: 50,
    recordings: [{ id: 'e1', subject: 3, split: 'train', file: 's.i16', offsetFrames: 1, frames: 6, segments }],
  });

  it('should make a recording of every segment, in m/s^2, and average frames', () => {
    const folder = folderWith(
      segmented([
        { label: 'x', start: 0, end: 2 },
        { label: 'y', start: 2, end: 6 },
      ]),
    );
    const data = loadDataset(folder);
    expect(data.scale).toEqual([0.5 * 9.80665, 2]);
    expect(data.recordings.map(({ id, label, frames }) => [id, label, frames])).toEqual([
      ['e1-0', 'x', 2],
      ['e1-1', 'y', 4],
    ]);
    expect([...data.recordings[1]!.samples]).toEqual([-1, 0, 1, 2, 3, 4, 5, 6]);
    const halved = loadDataset(folder, 2);
    expect(halved.sampleRateHz).toBe(25);
    expect([...halved.recordings[1]!.samples]).toEqual([0, 1, 4, 5]);
  });

  it('should name what is missing or out of range', () => {
    expect(() => loadDataset(folderWith(segmented([{ label: 'x', start: 4, end: 7 }])))).toThrow(
      /segment 4 to 7 is not inside e1/,
    );
    expect(() => loadDataset('/nonexistent')).toThrow('/nonexistent/manifest.json: no such file');
    const [first, second] = manifest.recordings;
    const long = { ...manifest, recordings: [first, { ...second, frames: 6 }] };
    expect(() => loadDataset(folderWith(long))).toThrow(/recording r1 reaches outside s\.i16/);
    const escaping = { ...manifest, recordings: [first, { ...second, file: '../s.i16' }] };
    expect(() => loadDataset(folderWith(escaping))).toThrow(/recordings\.1\.file/);
  });
});

describe('figures', () => {
  it('should count windows by true and predicted class', () => {
    const predicted = argmaxRows([0.1, 0.9, 0.5, 0.5, 0.8, 0.2], 2);
    expect(predicted).toEqual([1, 0, 0]);
    const evaluation = evaluate([1, 1, 0], predicted, 2);
    expect(evaluation).toEqual({
      windows: 3,
      correct: 2,
      confusion: [
        [1, 0],
        [1, 1],
      ],
    });
    expect(recalls(evaluation)).toEqual([1, 0.5]);
  });

  it('should repeat random numbers with the seed, and shuffle without losing any', () => {
    const draw = (): number[] => {
      const generator = createRandom(7);
      return [generator.uniform(), generator.normal(), generator.integer(1000)];
    };
    expect(draw()).toEqual(draw());
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    shuffle(items, createRandom(1));
    expect(items).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...items].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
