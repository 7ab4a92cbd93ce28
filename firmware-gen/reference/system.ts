/** A decision system in TypeScript: the twin of what emit/system-source.ts generates, bit for bit. */
import { assert, defined } from '../../common/errors.ts';
import { elementCount, tensorOf } from '../ir/graph.ts';
import type { RunScale } from '../ir/dynamic.ts';
import type { GraphDynamics } from '../ir/graph.ts';
import type { DecisionSystem, SystemFrontEnd, SystemHead } from '../ir/system.ts';
import { LOGIT_EXPONENTS } from '../ir/adaptation.ts';
import type { LearningHead } from './adaptation/head.ts';
import { headAtScale } from './decision/head-at-scale.ts';
import {
  cosineAccepts,
  cosinePowers,
  cosineScores,
  indexOfLargest,
  linearScores,
  mahalanobisDistance,
  relativePowers,
  unknownMargin,
  type Powers,
} from './decision/heads.ts';
import { nearestPrototype } from './decision/prototypes.ts';
import { kalmanStart, kalmanStep, type KalmanState } from './decision/kalman.ts';
import { stickyFilter, uniformBelief } from './decision/sticky-filter.ts';
import { createReference, type Reference } from './index.ts';
import { cepstralFrames } from './signal/cepstra.ts';
import { standardiseDynamic, standardiseInt8, unitVectors } from './signal/motion.ts';
import { Stream } from './signal/stream.ts';
import { windowStatistics } from './signal/window-statistics.ts';

export interface Decision {
  /** Whether the window looks like what the system was trained on. */
  readonly accepted: boolean;
  /** Best class of this window alone; that of the nearest prototype when a gate by statistics rejected it. */
  readonly label: number;
  /** Most probable class by the filter, and how probable, Q15. */
  readonly smoothed: number;
  readonly belief: number;
}

/** What the encoder makes of one window. */
export interface Features {
  readonly phi: Int8Array;
  /** Found at run time; null: that of the encoder's output tensor. */
  readonly scale: RunScale | null;
}

/** Inputs of the encoder, by position. */
function encoderInputs(
  frontEnd: SystemFrontEnd,
  dynamics: GraphDynamics | undefined,
  window: Int16Array,
): (Int8Array | Int32Array)[] {
  if (frontEnd.kind !== 'image') {
    const { channels, zeroPoint, unit } = frontEnd;
    if (!unit || !dynamics) return [standardiseInt8(window, channels, zeroPoint)];
    const { scheme, leastInput: least } = dynamics;
    const { values, scale } = standardiseDynamic(window, channels, unit, { scheme, least });
    return [values, Int32Array.of(scale.multiplier, scale.shift, scale.zeroPoint)];
  }
  const { column, columnZeroPoint, row, rowZeroPoint, rowSource } = frontEnd;
  const units = unitVectors(window, 6);
  const same = [column, column, column];
  return [
    standardiseInt8(units, same, columnZeroPoint),
    rowSource === 'self' ? standardiseInt8(units, row, rowZeroPoint) : standardiseInt8(window, row, rowZeroPoint, 6, 3),
  ];
}

interface Scores extends Powers {
  readonly scores: Int32Array;
}

interface TrainedScores extends Scores {
  readonly best: number;
  /** Whether the cosine reaches its threshold; null for a linear head. */
  readonly reaches: boolean | null;
}

/** @param head for the scale of phi */
function trainedScores(head: SystemHead, phi: Int8Array): TrainedScores {
  if (head.kind === 'linear') {
    const scores = linearScores(head.head, phi);
    return { scores, ...relativePowers(head.scale, scores), best: scores[indexOfLargest(scores)]!, reaches: null };
  }
  const { scores, squaredNorm } = cosineScores(head.head, phi);
  const best = scores[indexOfLargest(scores)]!;
  const reaches = cosineAccepts(head.head, best, squaredNorm);
  return { scores, ...cosinePowers(head.sharpness, squaredNorm, scores), best, reaches };
}

/** What one stream has left behind. */
interface StreamState {
  readonly stream: Stream;
  belief: Int32Array;
  readonly latent: KalmanState | null;
  readonly cepstra: ((samples: ArrayLike<number>) => Int16Array) | null;
}

function startOfStream({ stream, classes, latentFilter, frontEnd }: DecisionSystem): StreamState {
  return {
    stream: new Stream(stream),
    belief: uniformBelief(classes.length),
    latent: latentFilter ? kalmanStart(latentFilter.params) : null,
    cepstra: frontEnd.kind === 'mfcc' ? cepstralFrames(frontEnd.cepstra) : null,
  };
}

export class SystemReference {
  readonly #system: DecisionSystem;
  readonly #learning: LearningHead | null;
  readonly #encoder: Reference;
  #now: StreamState;

  /** @param learning decides in place of the system's head, whose cosines only serve a gate by them */
  constructor(system: DecisionSystem, learning: LearningHead | null = null) {
    const phi = tensorOf(system.encoder, system.encoder.outputs[0]!);
    assert(phi.dtype === 'int8' && elementCount(phi.shape) === system.head.head.size, 'the head takes the features');
    this.#system = system;
    this.#learning = learning;
    this.#encoder = createReference(system.encoder);
    this.#now = startOfStream(system);
  }

  /** Begins a new stream. */
  restart(): void {
    this.#now = startOfStream(this.#system);
  }

  /** A decision when a window is due, else null. @param values pushedValues(system) of them */
  push(values: ArrayLike<number>): Decision | null {
    return this.#now.stream.push(this.#now.cepstra?.(values) ?? values) ? this.decide(this.#now.stream.window()) : null;
  }

  /** Of one window of the stream. */
  features(window: Int16Array): Features {
    const inputs = encoderInputs(this.#system.frontEnd, this.#system.encoder.dynamics, window);
    const [phi, words] = this.#encoder.runOutputs(inputs.map((values) => new Uint8Array(values.buffer)));
    const [multiplier = 0, shift = 0, zeroPoint = 0] = words ? new Int32Array(words.slice().buffer) : [];
    return { phi: new Int8Array(phi!.slice().buffer), scale: words ? { multiplier, shift, zeroPoint } : null };
  }

  decide(window: Int16Array): Decision {
    const strange = this.#rejectedByStatistics(window);
    if (strange !== null) return this.#filter(null, { accepted: false, label: strange.label });
    const features = this.features(window);
    const { likelihoods, ...verdict } = this.#classify(features);
    return this.#filter({ phi: features.phi, likelihoods }, verdict);
  }

  /** The nearest prototype's class when the gate is by statistics and rejects the window, else null. */
  #rejectedByStatistics(window: Int16Array): { label: number } | null {
    const { gate } = this.#system;
    if (gate.kind !== 'statistics') return null;
    const nearest = nearestPrototype(gate.head, windowStatistics(window, gate.head.floors));
    return nearest.distance > gate.distanceMax ? nearest : null;
  }

  #filter(
    evidence: { phi: Int8Array; likelihoods: Int32Array } | null,
    { accepted, label }: Pick<Decision, 'accepted' | 'label'>,
  ): Decision {
    const usable = accepted ? evidence : null;
    const likelihoods = this.#filtered(usable?.phi ?? null) ?? usable?.likelihoods ?? null;
    this.#now.belief = stickyFilter(this.#system.filter, this.#now.belief, likelihoods);
    const smoothed = indexOfLargest(this.#now.belief);
    return { accepted, label, smoothed, belief: this.#now.belief[smoothed]! };
  }

  /** Likelihoods by the filter over features; null without one or without evidence. */
  #filtered(phi: Int8Array | null): Int32Array | null {
    const { latentFilter } = this.#system;
    if (!latentFilter || !this.#now.latent) return null;
    const scores = kalmanStep(latentFilter.params, this.#now.latent, phi);
    return scores && relativePowers(latentFilter.scale, scores).powers;
  }

  /** One step: the newest window is of class `label`. Returns the probability that it had before, Q15. */
  learn(label: number, window = this.#now.stream.window()): number {
    const learning = defined(this.#learning, 'a head that learns');
    return learning.learn(this.#learningFeatures(learning, this.features(window)), label);
  }

  /** The head as it was trained. */
  forget(): void {
    this.#learning?.restart();
  }

  #learningFeatures(learning: LearningHead, { phi, scale }: Features): Int16Array {
    return learning.features(phi, scale, headAtScale(this.#system.head, scale).head.offset);
  }

  #classify(features: Features): { accepted: boolean; label: number; likelihoods: Int32Array } {
    const { phi, scale } = features;
    const trained = trainedScores(headAtScale(this.#system.head, scale), phi);
    const { scores, powers, sum } = this.#learning ? this.#learnedScores(this.#learning, features) : trained;
    return { label: indexOfLargest(scores), likelihoods: powers, accepted: this.#accepts(phi, sum, trained) };
  }

  #learnedScores(learning: LearningHead, features: Features): Scores {
    const scores = learning.logits(this.#learningFeatures(learning, features));
    return { scores, ...relativePowers(LOGIT_EXPONENTS, scores) };
  }

  /** @param sum of the likelihoods @param trained what gates by a cosine or by a class 'unknown' are about, whatever was learned */
  #accepts(phi: Int8Array, sum: number, trained: TrainedScores): boolean {
    const { gate } = this.#system;
    switch (gate.kind) {
      case 'cosine':
        return defined(trained.reaches, 'cosine head of a cosine gate');
      case 'max-softmax':
        return sum <= gate.sumMax;
      case 'mahalanobis':
        return mahalanobisDistance(gate.head, phi).distance <= BigInt(gate.distanceMax);
      case 'unknown-class':
        assert(trained.reaches === null, "a class 'unknown' needs a linear head");
        return unknownMargin(gate.head, trained.best, phi) >= gate.marginMin;
      case 'statistics':
        // Decided before there were features.
        return true;
    }
  }
}
