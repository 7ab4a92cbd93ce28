/**
 * The decoder of the autoencoders, for training only: dense, then up-sampling by two and convolution along time until the window's length is
 * reached. It rebuilds the standardised window, whichever front end the encoder has.
 */
import * as tf from '@tensorflow/tfjs-core';
import { addNormalisation, dense, normalise } from './encoder.ts';
import type { Parameters } from './parameters.ts';

const FILTERS = 32;
const TAPS = 5;
const STAGES = 3;

/** [frames, channels] of what is rebuilt. */
export interface DecoderShape {
  readonly latent: number;
  readonly frames: number;
  readonly channels: number;
}

const startFrames = ({ frames }: DecoderShape): number => Math.ceil(frames / 2 ** STAGES);

export function addDecoderParameters(parameters: Parameters, shape: DecoderShape): void {
  const values = startFrames(shape) * FILTERS;
  parameters.weight('decoder_start_kernel', [shape.latent, values], shape.latent);
  parameters.constant('decoder_start_bias', [values], 0);
  for (let stage = 0; stage < STAGES; stage += 1) {
    const outputs = stage === STAGES - 1 ? shape.channels : FILTERS;
    parameters.weight(`decoder_stage${stage}_kernel`, [TAPS, 1, FILTERS, outputs], TAPS * FILTERS);
    if (stage < STAGES - 1) addNormalisation(parameters, `decoder_stage${stage}`, outputs);
  }
  parameters.constant('decoder_end_bias', [shape.channels], 0);
}

/** [batch, frames, 1, channels] */
export function decode(z: tf.Tensor2D, parameters: Parameters, shape: DecoderShape, training: boolean): tf.Tensor4D {
  const start = tf.relu(dense(z, parameters, 'decoder_start'));
  let x = tf.reshape<tf.Rank.R4>(start, [z.shape[0], startFrames(shape), 1, FILTERS]);
  for (let stage = 0; stage < STAGES; stage += 1) {
    const [batch, frames, , filters] = x.shape;
    // Every frame twice; not by tf.stack, whose gradient takes longer than all else.
    const rows = tf.reshape<tf.Rank.R2>(x, [batch * frames, filters]);
    x = tf.reshape(tf.concat([rows, rows], 1), [batch, 2 * frames, 1, filters]);
    x = tf.conv2d(x, parameters.get<tf.Rank.R4>(`decoder_stage${stage}_kernel`), 1, 'same');
    if (stage < STAGES - 1) x = tf.relu(normalise(x, parameters, `decoder_stage${stage}`, training));
  }
  const whole = tf.add(x, parameters.get<tf.Rank.R1>('decoder_end_bias'));
  return tf.slice<tf.Rank.R4, tf.Tensor4D>(
    whole as tf.Tensor4D,
    [0, 0, 0, 0],
    [z.shape[0], shape.frames, 1, shape.channels],
  );
}
