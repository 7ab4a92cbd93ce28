/**
 * Trains a network as its configuration says: first the representation (if the objective asks for it), then the head with or without the
 * encoder. Every step's randomness comes from seed and step alone, so a resumed training continues exactly as an uninterrupted one.
 */
import * as tf from '@tensorflow/tfjs-core';
import { argmax } from '../evaluate/metrics.ts';
import { createRandom } from '../random.ts';
import { readCheckpoint, writeCheckpoint, type Checkpoint, type CurvePoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import type { DataSource } from './data-source.ts';
import { isDecayed } from './heads.ts';
import { Network, type Arithmetic } from './network.ts';
import type { ParameterValues } from './parameters.ts';
import { Sgd, type StepOptions } from './sgd.ts';

export interface TrainOptions {
  /** File to resume from and to write to; null: neither. */
  readonly checkpoint: string | null;
  /** Identifies configuration and data. */
  readonly key: string;
  /** Where the encoder starts, by parameter name (those of stem, blocks and latent layer count); default: at random. */
  readonly initial?: ParameterValues;
  /** Called after every validation. */
  readonly report: (state: TrainingState) => void;
}

export interface TrainingState {
  readonly step: number;
  readonly steps: number;
  readonly point: CurvePoint;
  /** Windows trained on per second of wall time, since the start or resumption. */
  readonly samplesPerSecond: number;
}

export interface Trained {
  readonly network: Network;
  readonly curve: readonly CurvePoint[];
  /** Validation accuracy of the parameters kept, and their step. */
  readonly best: { readonly accuracy: number; readonly step: number };
  readonly samplesPerSecond: number;
}

/** A generator of its own for every step (the multiplier is odd: a bijection of 32 bits). */
const stepRandom = (seed: number, step: number) =>
  createRandom((Math.imul(seed, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0);

/** First of the steps, over all phases, that see the encoder as int8 will have it; infinite: none do. */
function awareFrom({ schedule, objective }: TrainConfig): number {
  const { steps, quantizationAwareSteps: aware = 0 } = schedule;
  return aware === 0 ? Infinity : steps - aware + (objective.kind === 'classify' ? 0 : objective.pretrainSteps);
}

/** Share of the old value in the smoothed loss. */
const SMOOTHING = 0.98;

/** tfjs must be started (startTfjs). */
export function train(config: TrainConfig, source: DataSource, options: TrainOptions): Trained {
  const { schedule, objective } = config;
  const pretrainSteps = objective.kind === 'classify' ? 0 : objective.pretrainSteps;
  const steps = pretrainSteps + schedule.steps;
  let network = new Network(config, source);
  if (options.initial) network.parameters.load(new Map([...options.initial].filter(([name]) => isEncoder(name))));
  let state = resume(network, options);
  if ((state?.step ?? 0) >= pretrainSteps) network = withoutLastBlocks(network, config);
  if (state !== null) network.parameters.load(state.parameters);
  let sgd = new Sgd(state?.velocities);
  let loss = state?.curve.at(-1)?.loss ?? null;
  const started = { at: performance.now(), step: state?.step ?? 0 };
  const speed = (step: number): number =>
    ((step - started.step) * schedule.batch * 1000) / (performance.now() - started.at);
  for (let step = state?.step ?? 0; step < steps && state?.finished !== true; step += 1) {
    if (step === pretrainSteps && step > 0) {
      network = withoutLastBlocks(network, config);
      sgd = new Sgd();
    }
    const value = trainStep(network, sgd, step, pretrainSteps);
    loss = loss === null ? value : SMOOTHING * loss + (1 - SMOOTHING) * value;
    if ((step + 1) % schedule.validateSteps !== 0 && step + 1 !== steps) continue;
    state = validated(
      network,
      sgd,
      { key: options.key, step: step + 1, loss, isPretraining: step < pretrainSteps, steps },
      state,
    );
    if (options.checkpoint !== null) writeCheckpoint(options.checkpoint, state);
    options.report({ step: step + 1, steps, point: state.curve.at(-1)!, samplesPerSecond: speed(step + 1) });
  }
  const best = state?.best;
  if (!state || !best) throw new Error('internal: a training without validation');
  network.parameters.load(best.parameters);
  const { accuracy, step } = best;
  return { network, curve: state.curve, best: { accuracy, step }, samplesPerSecond: speed(state.step) };
}

function resume(network: Network, { checkpoint, key }: TrainOptions): Checkpoint | null {
  return checkpoint === null ? null : readCheckpoint(checkpoint, key);
}

const isEncoder = (name: string): boolean => /^(stem|block|latent)/.test(name);

/** The network of the second phase: as many blocks fewer as the configuration says, the others as they are. */
function withoutLastBlocks(network: Network, config: TrainConfig): Network {
  if (config.removeBlocks === 0) return network;
  const blocks = config.encoder.blocks.slice(0, -config.removeBlocks);
  const shorter = new Network({ ...config, encoder: { ...config.encoder, blocks } }, network.source);
  // The dense layer behind the blocks has another size; it starts anew.
  const kept = [...network.parameters.values()].filter(([name]) => name.startsWith('stem') || name.startsWith('block'));
  shorter.parameters.load(new Map(kept));
  network.dispose();
  return shorter;
}

function trainStep(network: Network, sgd: Sgd, step: number, pretrainSteps: number): number {
  const { schedule, objective, fineTune, encoder } = network.config;
  const isPretraining = step < pretrainSteps;
  const [done, all] = isPretraining ? [step, pretrainSteps] : [step - pretrainSteps, schedule.steps];
  const random = stepRandom(schedule.seed, step);
  const batch = network.source.draw(schedule.batch, random, isPretraining && objective.kind === 'denoising');
  const isFrozen = !isPretraining && !fineTune;
  const options: StepOptions = {
    learningRate: schedule.learningRate * 0.5 * (1 + Math.cos((Math.PI * done) / all)),
    momentum: schedule.momentum,
    weightDecay: schedule.weightDecay,
    clipNorm: schedule.clipNorm,
    isDecayed,
    moves: (name) => {
      if (isPretraining) return objective.kind === 'variational-discriminative' || !Network.isHead(name);
      return (
        Network.isHead(name) ||
        (!isFrozen && !/^(decoder|latent_deviation)/.test(name)) ||
        (isFrozen && isFreshLatent(network, name))
      );
    },
  };
  return tf.tidy(() => {
    const loss = (): tf.Scalar => {
      if (!isPretraining)
        return network.classificationLoss(batch, !isFrozen, step >= awareFrom(network.config) ? 'int8' : 'float');
      const noise = Float32Array.from({ length: schedule.batch * encoder.latent }, () => random.normal());
      const beta = objective.beta * Math.min(1, step / Math.max(1, objective.warmUpSteps));
      return network.representationLoss(batch, beta, tf.tensor2d(noise, [schedule.batch, encoder.latent]));
    };
    return sgd.step(network.parameters, loss, options);
  });
}

/** With blocks removed, even a frozen encoder has a dense layer that was never trained. */
function isFreshLatent({ config }: Network, name: string): boolean {
  return config.removeBlocks > 0 && /^latent_(kernel|bias)/.test(name);
}

interface Progress {
  readonly key: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly isPretraining: boolean;
}

function validated(network: Network, sgd: Sgd, progress: Progress, before: Checkpoint | null): Checkpoint {
  const { key, step, steps, loss, isPretraining } = progress;
  const from = awareFrom(network.config);
  const isAware = step > from;
  const accuracy = isPretraining ? null : accuracyOf(network, isAware ? 'int8' : 'float');
  const parameters = network.parameters.values();
  let best = before?.best ?? null;
  // Once int8 counts, what float reached does not.
  if (isAware && best !== null && best.step <= from) best = null;
  if (accuracy !== null && (best === null || accuracy > best.accuracy)) best = { accuracy, step, parameters };
  const { patience, validateSteps } = network.config.schedule;
  // A phase that is still to come is not skipped.
  const isStale = (isAware || from === Infinity) && best !== null && step - best.step >= patience * validateSteps;
  const curve = [...(before?.curve ?? []), { step, loss, accuracy }];
  return { key, step, finished: step >= steps || isStale, parameters, velocities: sgd.velocities, best, curve };
}

/** Share of validation windows whose class has the largest mean logit. */
export function accuracyOf(network: Network, arithmetic: Arithmetic = 'float'): number {
  const { windows, labels } = network.source.validation;
  const correct = network.outputs(windows, arithmetic).filter(({ logits }, i) => {
    const sum = logits[0]!.map((_, c) => logits.reduce((total, member) => total + member[c]!, 0));
    return argmax(sum) === labels[i];
  });
  return correct.length / labels.length;
}
