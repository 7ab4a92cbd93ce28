/** What kernels/runtime/tl_learner.c does with one model, step by step, bit for bit: encoder, classification, learning. */
import type { Weights16 } from '../../ir/adaptation.ts';
import { defined } from '../../../common/errors.ts';
import type { Adaptation } from '../../ir/adaptation.ts';
import type { RunScale } from '../../ir/dynamic.ts';
import { createReference, type Reference } from '../index.ts';
import { adaptClassify, adaptQuantize, type Layer8 } from './inference-s8.ts';
import { adaptFeatures, weights16 } from './layers.ts';
import { adaptStepF32 } from './training-f32.ts';
import { adaptAccumulate, adaptApply, newGradients, type Gradients } from './training-s16.ts';

export class LearnerReference {
  private readonly adaptation: Adaptation;
  private readonly encoder: Reference;
  private readonly gradients: Gradients;
  private floats: Float32Array[] = [];
  private fixed: Weights16[] = [];
  private layers8: Layer8[] = [];
  /** Samples learned from since the start. */
  steps = 0;

  constructor(adaptation: Adaptation) {
    this.adaptation = adaptation;
    this.encoder = createReference(adaptation.encoder);
    this.gradients = newGradients(adaptation.params);
    this.restart();
  }

  /** The model as it came. */
  restart(): void {
    const { initial, options } = this.adaptation;
    this.steps = 0;
    this.fixed = initial.map(({ exponent, weights }) => ({ exponent, weights: weights.slice() }));
    this.floats =
      options.arithmetic === 'float'
        ? initial.map(({ exponent, weights }) => Float32Array.from(weights, (value) => value * 2 ** -exponent))
        : [];
    this.quantize();
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
    const { params, rates } = this.adaptation;
    let probability: number;
    if (this.floats.length > 0) probability = adaptStepF32(params, rates, this.floats, features, label);
    else {
      probability = adaptAccumulate(params, this.fixed, features, label, this.gradients);
      adaptApply(params, this.fixed, this.gradients, null);
    }
    this.steps += 1;
    this.quantize();
    return probability;
  }

  /** What the device keeps: by layer exponents (0 in float) and weights. */
  weights(): { exponent: number; weights: Int16Array | Float32Array }[] {
    return this.floats.length > 0 ? this.floats.map((weights) => ({ exponent: 0, weights })) : this.fixed;
  }

  private quantize(): void {
    const { params, calibration } = this.adaptation;
    if (this.floats.length > 0) this.fixed = this.floats.map((values) => weights16(values, 0));
    this.layers8 = params.layers.map((layer, i) => adaptQuantize(layer, this.fixed[i]!, calibration?.[i] ?? null));
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
