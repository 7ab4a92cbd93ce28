/** Batch normalisation as one kernel against the same composed of tfjs's own operations, and its gradient against theirs. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../learn/random.ts';
import { normaliseByBatch } from '../../learn/tfjs/normalisation-kernels.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';

const EPSILON = 1e-3;
const random = createRandom(7);
const normal = (count: number, mean = 0): Float32Array =>
  Float32Array.from({ length: count }, () => mean + random.normal());

beforeAll(startTfjs);

function composed(x: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Tensor4D {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  const normalised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON)));
  return tf.add(tf.mul(normalised, gamma), beta);
}

describe('batch normalisation by one kernel', () => {
  const shape: [number, number, number, number] = [4, 3, 2, 5];
  const x = normal(120, 3);
  const [gamma, beta, weights] = [normal(5), normal(5), normal(120)];

  it('should agree with the composed one: values, statistics and gradients of all three inputs', () => {
    tf.tidy(() => {
      const inputs = [tf.tensor4d(x, shape), tf.tensor1d(gamma), tf.tensor1d(beta)] as const;
      const weigh = (y: tf.Tensor4D): tf.Scalar => tf.sum(tf.mul(tf.square(y), tf.tensor4d(weights, shape)));
      const ours = normaliseByBatch(inputs[0], inputs[1], inputs[2], EPSILON);
      const gradients = (of: typeof composed): tf.Tensor[] =>
        tf.grads((a, b, c) => weigh(of(a as tf.Tensor4D, b as tf.Tensor1D, c as tf.Tensor1D)))([...inputs]);
      const moments = tf.moments(inputs[0], [0, 1, 2]);
      const pairs: [tf.Tensor, tf.Tensor][] = [
        [ours.y, composed(...inputs)],
        [ours.mean, moments.mean],
        [ours.variance, moments.variance],
      ];
      const expected = gradients(composed);
      const actual = gradients((a, b, c) => normaliseByBatch(a, b, c, EPSILON).y);
      for (const [i, one] of actual.entries()) pairs.push([one, expected[i]!]);
      expect(pairs).toHaveLength(6);
      for (const [a, b] of pairs) {
        expect(a.shape).toEqual(b.shape);
        const [left, right] = [a.dataSync(), b.dataSync()];
        // float32 sums of 24 values in two orders.
        for (const [i, value] of right.entries()) expect(Math.abs(left[i]! - value)).toBeLessThan(2e-4);
      }
    });
  });

  it('should leave no tensor behind', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const [a, b, c] = [tf.tensor4d(x, shape), tf.tensor1d(gamma), tf.tensor1d(beta)];
      tf.grad((input) => tf.sum(normaliseByBatch(input, b, c, EPSILON).y))(a);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
