/**
 * Classification heads: linear, and the three of generalised ODIN (Hsu et al., arXiv 2002.11297), f = h / g with one g per input. h of I is an
 * inner product, of E a negative squared distance, of C a cosine. Several members share one encoder.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadKind } from './config.ts';
import { addNormalisation, dense, normalise } from './encoder.ts';
import type { Parameters } from './parameters.ts';

export interface HeadOutputs {
  /** What the cross-entropy is taken of, [batch, classes]. */
  readonly logits: tf.Tensor2D;
  /** The numerator; the logits themselves for a linear head. */
  readonly h: tf.Tensor2D;
  /** The denominator before its sigmoid, [batch, 1]; null for a linear head. */
  readonly gate: tf.Tensor2D | null;
}

/** Keeps the square root's gradient finite at zero. */
const TINY = 1e-12;

export const headName = (member: number): string => `head${member}`;

/** h is not decayed (arXiv 2002.11297, 4.2). */
export function isDecayed(name: string): boolean {
  return name.endsWith('_kernel') && !name.startsWith('head');
}

export function addHeadParameters(
  parameters: Parameters,
  kind: HeadKind,
  { latent, classes, member }: { latent: number; classes: number; member: number },
): void {
  const name = headName(member);
  parameters.weight(`${name}_kernel`, [latent, classes], latent);
  if (kind === 'linear' || kind === 'deconf-i') parameters.constant(`${name}_bias`, [classes], 0);
  if (kind === 'linear') return;
  parameters.weight(`${name}_gate_kernel`, [latent, 1], latent);
  parameters.constant(`${name}_gate_bias`, [1], 0);
  addNormalisation(parameters, `${name}_gate`, 1);
}

export function applyHead(
  phi: tf.Tensor2D,
  parameters: Parameters,
  kind: HeadKind,
  member: number,
  training: boolean,
): HeadOutputs {
  const name = headName(member);
  const h = numerator(phi, parameters, kind, name);
  if (kind === 'linear') return { logits: h, h, gate: null };
  const gate = normalise(dense(phi, parameters, `${name}_gate`), parameters, `${name}_gate`, training);
  return { logits: tf.div(h, tf.sigmoid(gate)), h, gate };
}

function numerator(phi: tf.Tensor2D, parameters: Parameters, kind: HeadKind, name: string): tf.Tensor2D {
  const kernel = parameters.get<tf.Rank.R2>(`${name}_kernel`);
  const products = tf.matMul(phi, kernel);
  const length = (x: tf.Tensor2D, axis: number): tf.Tensor2D =>
    tf.sqrt(tf.add<tf.Tensor2D>(tf.sum<tf.Tensor2D>(tf.square(x), axis, true), TINY));
  switch (kind) {
    case 'linear':
    case 'deconf-i':
      return tf.add(products, parameters.get<tf.Rank.R1>(`${name}_bias`));
    case 'deconf-c':
      return tf.div(products, tf.mul(length(phi, 1), length(kernel, 0)));
    case 'deconf-e': {
      const squares = tf.add(tf.sum(tf.square(phi), 1, true), tf.sum(tf.square(kernel), 0, true));
      return tf.div(tf.sub(tf.mul(products, 2), squares), phi.shape[1]);
    }
  }
}
