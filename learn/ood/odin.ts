/**
 * Input pre-processing: x + epsilon * sign(gradient of the score), which moves familiar inputs further up than others (ODIN, Liang et al.,
 * arXiv 1706.02690; generalised ODIN chooses epsilon on in-distribution data alone, arXiv 2002.11297, 3.2). Offline only: a device has no gradient.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadOutputs } from '../deep/heads.ts';
import type { Network, Outputs } from '../deep/network.ts';

export const EPSILONS = [0, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08] as const;
/** ODIN's temperature. */
export const ODIN_TEMPERATURE = 1000;

export type ScoreKind = 'odin' | 'deconf';

const BATCH = 128;

/** Of each input, [batch]. */
function scoreTensor({ logits, h }: HeadOutputs, kind: ScoreKind): tf.Tensor1D {
  if (kind === 'deconf') return tf.max(h, 1);
  // log of the largest softmax: same order, and no rounding to 1.
  return tf.max(tf.logSoftmax(tf.div(logits, ODIN_TEMPERATURE)), 1);
}

export function odinScore({ logits }: Pick<Outputs, 'logits'>): number {
  const scaled = Array.from(logits[0]!, (value) => value / ODIN_TEMPERATURE);
  const largest = Math.max(...scaled);
  return -Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Scores of windows after a step of epsilon. */
export function perturbedScores(
  network: Network,
  windows: readonly Float32Array[],
  kind: ScoreKind,
  epsilon: number,
): number[] {
  const scores: number[] = [];
  for (let at = 0; at < windows.length; at += BATCH) {
    const some = windows.slice(at, at + BATCH);
    const values = tf.tidy(() => {
      const input = network.source.toInput(some);
      const score = (x: tf.Tensor4D): tf.Tensor1D => network.scoreOf(x, (outputs) => scoreTensor(outputs, kind));
      if (epsilon === 0) return score(input).dataSync<'float32'>().slice();
      const gradient = tf.grad((x) => tf.sum(score(x as tf.Tensor4D)))(input);
      return score(tf.add(input, tf.mul(tf.sign(gradient), epsilon)))
        .dataSync<'float32'>()
        .slice();
    });
    scores.push(...values);
  }
  return scores;
}

/** The step with the largest mean score of in-distribution validation windows. */
export function chooseEpsilon(network: Network, validation: readonly Float32Array[], kind: ScoreKind): number {
  const means = EPSILONS.map((epsilon) => {
    const scores = perturbedScores(network, validation, kind, epsilon);
    return scores.reduce((a, b) => a + b, 0) / scores.length;
  });
  return EPSILONS[means.indexOf(Math.max(...means))]!;
}
