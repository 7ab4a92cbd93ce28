/** What kernels/runtime/tl_learner.c does with one model, step by step, bit for bit: encoder, classification, learning. */
import { defined } from '../../../common/errors.ts';
import type { Adaptation } from '../../ir/adaptation.ts';
import type { RunScale } from '../../ir/dynamic.ts';
import { createReference, type Reference } from '../index.ts';
import { adaptClassify, adaptQuantize, type Layer8 } from './inference-s8.ts';
import { adaptFeatures } from './layers.ts';
import { LearningWeights } from './weights.ts';

export class LearnerReference {
  private readonly adaptation: Adaptation;
  private readonly encoder: Reference;
  private readonly learning: LearningWeights;
  private layers8: Layer8[];

  constructor(adaptation: Adaptation) {
    this.adaptation = adaptation;
    this.encoder = createReference(adaptation.encoder);
    this.learning = new LearningWeights(adaptation);
    this.layers8 = this.quantized();
  }

  /** Samples learned from since the start. */
  get steps(): number {
    return this.learning.steps;
  }

  /** The model as it came. */
  restart(): void {
    this.learning.restart();
    this.layers8 = this.quantized();
  }

  /** int16 features of one input. @param inputs bytes of the encoder's inputs */
  features(inputs: readonly Uint8Array[]): Int16Array {
    const { scale, inverse } = this.adaptation;
    const [phi, words] = this.encoder.runOutputs(inputs);
    const int8 = new Int8Array(defined(phi, 'features').slice().buffer);
    return adaptFeatures(int8, scale ?? scaleOf(defined(words, 'scale')), inverse);
  }

  classify(features: Int16Array): { label: number; scores: Int32Array } {
    const { params, calibration } = this.adaptation;
    return adaptClassify(params, this.layers8, calibration, features);
  }

  /** One step. Returns the probability that the label had before, Q15. */
  learn(features: Int16Array, label: number): number {
    const probability = this.learning.learn(features, label);
    this.layers8 = this.quantized();
    return probability;
  }

  /** What the device keeps: by layer exponents (0 in float) and weights. */
  weights(): { exponent: number; weights: Int16Array | Float32Array }[] {
    return this.learning.kept();
  }

  private quantized(): Layer8[] {
    const { params, calibration } = this.adaptation;
    return params.layers.map((layer, i) => adaptQuantize(layer, this.learning.fixed[i]!, calibration?.[i] ?? null));
  }
}

export function scaleOf(words: Uint8Array): RunScale {
  const [multiplier, shift, zeroPoint] = new Int32Array(words.slice().buffer);
  return {
    multiplier: defined(multiplier, 'scale'),
    shift: defined(shift, 'scale'),
    zeroPoint: defined(zeroPoint, 'scale'),
  };
}
