/** A decision system in TypeScript: the twin of what emit/system-source.ts generates, bit for bit. */
import { assert } from '../../common/errors.ts';
import { elementCount, tensorOf } from '../ir/graph.ts';
import type { RunScale } from '../ir/dynamic.ts';
import type { GraphDynamics } from '../ir/graph.ts';
import type { DecisionSystem, SystemFrontEnd } from '../ir/system.ts';
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

export class SystemReference {
  readonly #system: DecisionSystem;
  readonly #stream: Stream;
  readonly #encoder: Reference;
  #belief: Int32Array;
  readonly #latent: KalmanState | null;
  readonly #cepstra: ((samples: ArrayLike<number>) => Int16Array) | null;

  constructor(system: DecisionSystem) {
    const phi = tensorOf(system.encoder, system.encoder.outputs[0]!);
    assert(phi.dtype === 'int8' && elementCount(phi.shape) === system.head.head.size, 'the head takes the features');
    this.#system = system;
    this.#stream = new Stream(system.stream);
    this.#encoder = createReference(system.encoder);
    this.#belief = uniformBelief(system.classes.length);
    this.#latent = system.latentFilter ? kalmanStart(system.latentFilter.params) : null;
    this.#cepstra = system.frontEnd.kind === 'mfcc' ? cepstralFrames(system.frontEnd.cepstra) : null;
  }

  /** A decision when a window is due, else null. @param values pushedValues(system) of them */
  push(values: ArrayLike<number>): Decision | null {
    return this.#stream.push(this.#cepstra?.(values) ?? values) ? this.decide(this.#stream.window()) : null;
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
    this.#belief = stickyFilter(this.#system.filter, this.#belief, likelihoods);
    const smoothed = indexOfLargest(this.#belief);
    return { accepted, label, smoothed, belief: this.#belief[smoothed]! };
  }

  /** Likelihoods by the filter over features; null without one or without evidence. */
  #filtered(phi: Int8Array | null): Int32Array | null {
    const { latentFilter } = this.#system;
    if (!latentFilter || !this.#latent) return null;
    const scores = kalmanStep(latentFilter.params, this.#latent, phi);
    return scores && relativePowers(latentFilter.scale, scores).powers;
  }

  #classify({ phi, scale }: Features): { accepted: boolean; label: number; likelihoods: Int32Array } {
    const head = headAtScale(this.#system.head, scale);
    if (head.kind === 'cosine') {
      const { scores, squaredNorm } = cosineScores(head.head, phi);
      const label = indexOfLargest(scores);
      const { powers, sum } = cosinePowers(head.sharpness, squaredNorm, scores);
      const familiar = cosineAccepts(head.head, scores[label]!, squaredNorm);
      return { label, likelihoods: powers, accepted: this.#accepts(phi, sum, familiar) };
    }
    const scores = linearScores(head.head, phi);
    const { powers, sum } = relativePowers(head.scale, scores);
    const label = indexOfLargest(scores);
    const { gate } = this.#system;
    const accepted =
      gate.kind === 'unknown-class'
        ? unknownMargin(gate.head, scores[label]!, phi) >= gate.marginMin
        : this.#accepts(phi, sum, null);
    return { label, likelihoods: powers, accepted };
  }

  #accepts(phi: Int8Array, sum: number, byCosine: boolean | null): boolean {
    const { gate } = this.#system;
    switch (gate.kind) {
      case 'cosine':
        assert(byCosine !== null, 'a cosine gate needs a cosine head');
        return byCosine;
      case 'max-softmax':
        return sum <= gate.sumMax;
      case 'mahalanobis':
        return mahalanobisDistance(gate.head, phi).distance <= BigInt(gate.distanceMax);
      case 'unknown-class':
        throw new Error("internal: a class 'unknown' needs a linear head");
      case 'statistics':
        // Decided before there were features.
        return true;
    }
  }
}
