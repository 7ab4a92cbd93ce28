/** Encoder, heads and decoder as one trainable network, its losses, and what it makes of windows. */
import * as tf from '@tensorflow/tfjs-core';
import { addRanges, encodeAware } from './aware.ts';
import { quantizationOf, type TrainConfig } from './config.ts';
import type { Batch, DataSource } from './data-source.ts';
import { addDecoderParameters, decode, type DecoderShape } from './decoder.ts';
import { addEncoderParameters, dense, encode } from './encoder.ts';
import { addHeadParameters, applyHead, headName, type HeadOutputs } from './heads.ts';
import { windowStatistics } from '../ood/window-statistics.ts';
import { Parameters } from './parameters.ts';

/** What a network makes of one window. */
export interface Outputs {
  readonly phi: Float32Array;
  /** By member: h, and f of which the softmax is taken. */
  readonly h: readonly Float32Array[];
  readonly logits: readonly Float32Array[];
  /** Before the sigmoid, of the first member; null for a linear head. */
  readonly gate: number | null;
  /** Of the window itself, before any network; null where it is not at hand. */
  readonly statistics: Float64Array | null;
  /** Mean squared error of the rebuilt window; null without a decoder. */
  readonly reconstructionError: number | null;
}

/** Numbers of the encoder: those of training, or those that int8 will have (aware.ts). */
export type Arithmetic = 'float' | 'int8';

const BATCH = 256;
const DEVIATION = 'latent_deviation';

export class Network {
  readonly config: TrainConfig;
  readonly source: DataSource;
  readonly parameters: Parameters;

  constructor(config: TrainConfig, source: DataSource) {
    this.config = config;
    this.source = source;
    this.parameters = new Parameters(config.schedule.seed);
    const { latent } = config.encoder;
    addEncoderParameters(this.parameters, config.encoder, source.input[2]);
    if (config.schedule.quantizationAwareSteps && quantizationOf(config).scheme === 'static')
      addRanges(this.parameters, config.encoder, source.input[2]);
    for (let member = 0; member < config.head.members; member += 1)
      addHeadParameters(this.parameters, config.head.kind, { latent, classes: source.classes.length, member });
    if (!this.hasDecoder) return;
    addDecoderParameters(this.parameters, this.decoderShape);
    if (!this.isVariational) return;
    this.parameters.weight(`${DEVIATION}_kernel`, [latent, latent], latent);
    // exp(-4 / 2): small at first, so that reconstruction starts.
    this.parameters.constant(`${DEVIATION}_bias`, [latent], -4);
  }

  get hasDecoder(): boolean {
    return this.config.objective.kind !== 'classify';
  }

  private get isVariational(): boolean {
    return this.config.objective.kind.startsWith('variational');
  }

  private get decoderShape(): DecoderShape {
    const { frames, channels } = this.source;
    return { latent: this.config.encoder.latent, frames, channels };
  }

  /**
   * Mean cross-entropy of all members with smoothed targets. @param encoderTraining whether the encoder's normalisation uses the batch @param
   * arithmetic int8: ranges follow the batch, normalisation never does
   */
  classificationLoss(batch: Batch, encoderTraining: boolean, arithmetic: Arithmetic = 'float'): tf.Scalar {
    const input = this.source.toInput(batch.windows);
    const phi =
      arithmetic === 'int8'
        ? this.encodeInt8(input, true)
        : encode(input, this.parameters, this.config.encoder, encoderTraining);
    return this.crossEntropy(phi, batch.labels);
  }

  private encodeInt8(input: tf.Tensor4D, moving: boolean): tf.Tensor2D {
    const { encoder } = this.config;
    return encodeAware(input, this.parameters, encoder, { ...quantizationOf(this.config), moving });
  }

  /** The objective's loss: reconstruction, divergence, cross-entropy as it says. @param beta weight of the divergence now */
  representationLoss(batch: Batch, beta: number, noise: tf.Tensor2D): tf.Scalar {
    const { kind, lambda } = this.config.objective;
    const mu = encode(this.source.toInput(batch.windows), this.parameters, this.config.encoder, true);
    let z = mu;
    let divergence = tf.scalar(0);
    if (this.isVariational) {
      const logVariance = tf.clipByValue(dense(mu, this.parameters, DEVIATION), -10, 4);
      z = tf.add(mu, tf.mul(noise, tf.exp(tf.mul(logVariance, 0.5))));
      const perValue = tf.sub(tf.add(tf.square(mu), tf.exp(logVariance)), tf.add(logVariance, 1));
      divergence = tf.mul(tf.mean(perValue), 0.5);
    }
    const error = tf.squaredDifference(decode(z, this.parameters, this.decoderShape, true), this.targets(batch.clean));
    const loss = tf.add(tf.mean(error), tf.mul(divergence, beta));
    if (kind !== 'variational-discriminative') return tf.reshape(loss, []);
    return tf.reshape(tf.add(loss, tf.mul(this.crossEntropy(mu, batch.labels), lambda)), []);
  }

  private crossEntropy(phi: tf.Tensor2D, labels: readonly number[]): tf.Scalar {
    const { classes } = this.source;
    const { labelSmoothing } = this.config.schedule;
    const values = new Float32Array(labels.length * classes.length).fill(labelSmoothing / classes.length);
    for (const [i, label] of labels.entries()) values[i * classes.length + label]! += 1 - labelSmoothing;
    const target = tf.tensor2d(values, [labels.length, classes.length]);
    const losses = this.heads(phi, true).map(({ logits }) =>
      tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1))),
    );
    return tf.reshape(tf.div(tf.addN(losses), losses.length), []);
  }

  private heads(phi: tf.Tensor2D, training: boolean): HeadOutputs[] {
    const { kind, members } = this.config.head;
    return Array.from({ length: members }, (_, member) => applyHead(phi, this.parameters, kind, member, training));
  }

  private targets(windows: readonly Float32Array[]): tf.Tensor4D {
    const { frames, channels } = this.source;
    const values = new Float32Array(windows.length * frames * channels);
    for (const [i, window] of windows.entries()) values.set(window, i * frames * channels);
    return tf.tensor4d(values, [windows.length, frames, 1, channels]);
  }

  /** Features of encoder inputs, as a function of tfjs: what an input gradient is taken of. */
  scoreOf(input: tf.Tensor4D, score: (outputs: HeadOutputs) => tf.Tensor1D): tf.Tensor1D {
    return score(this.heads(encode(input, this.parameters, this.config.encoder, false), false)[0]!);
  }

  /** What the network makes of windows, in batches. */
  outputs(windows: readonly Float32Array[], arithmetic: Arithmetic = 'float'): Outputs[] {
    const results: Outputs[] = [];
    for (let at = 0; at < windows.length; at += BATCH) {
      const some = windows.slice(at, at + BATCH);
      tf.tidy(() => void results.push(...this.outputsOf(this.source.toInput(some), some, arithmetic)));
    }
    return results;
  }

  /** @param windows for the reconstruction error and the statistics */
  outputsOf(input: tf.Tensor4D, windows: readonly Float32Array[], arithmetic: Arithmetic = 'float'): Outputs[] {
    const phi =
      arithmetic === 'int8'
        ? this.encodeInt8(input, false)
        : encode(input, this.parameters, this.config.encoder, false);
    const heads = this.heads(phi, false);
    const errors = this.hasDecoder
      ? tf
          .mean(
            tf.squaredDifference(decode(phi, this.parameters, this.decoderShape, false), this.targets(windows)),
            [1, 2, 3],
          )
          .dataSync<'float32'>()
      : null;
    const rows = (tensor: tf.Tensor2D): Float32Array[] => {
      const [count, width] = tensor.shape;
      const values = tensor.dataSync<'float32'>().slice();
      return Array.from({ length: count }, (_, i) => values.subarray(i * width, (i + 1) * width));
    };
    const [phis, hs, logits] = [rows(phi), heads.map(({ h }) => rows(h)), heads.map((head) => rows(head.logits))];
    const gates = heads[0]?.gate ? rows(heads[0].gate) : null;
    return phis.map((features, i) => ({
      phi: features,
      h: hs.map((member) => member[i]!),
      logits: logits.map((member) => member[i]!),
      gate: gates?.[i]?.[0] ?? null,
      statistics: windowStatistics(windows[i]!, this.source.channels),
      reconstructionError: errors?.[i] ?? null,
    }));
  }

  /** Names of variables of the head (and decoder), apart from the encoder's. */
  static isHead(name: string): boolean {
    return name.startsWith(headName(0).slice(0, -1));
  }

  dispose(): void {
    this.parameters.dispose();
  }
}
