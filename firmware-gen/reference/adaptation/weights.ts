/** Weights that learn, step by step as kernels/runtime/tl_learner.c has them, bit for bit: the record of a model or of a system's head. */
import type { Adaptation, Weights16 } from '../../ir/adaptation.ts';
import { weights16 } from './layers.ts';
import { adaptStepF32 } from './training-f32.ts';
import { adaptAccumulate, adaptApply, newGradients, type Gradients } from './training-s16.ts';

export type Learnable = Pick<Adaptation, 'params' | 'rates' | 'initial' | 'options'>;

export class LearningWeights {
  private readonly what: Learnable;
  private readonly gradients: Gradients;
  private floats: Float32Array[] = [];
  /** In 16 bits by layer; those of float are rounded to it after every step. */
  fixed: Weights16[] = [];
  /** Samples learned from since the start. */
  steps = 0;

  constructor(what: Learnable) {
    this.what = what;
    this.gradients = newGradients(what.params);
    this.restart();
  }

  /** As they came. */
  restart(): void {
    const { initial, options } = this.what;
    this.steps = 0;
    this.fixed = initial.map(({ exponent, weights }) => ({ exponent, weights: weights.slice() }));
    this.floats =
      options.arithmetic === 'float'
        ? initial.map(({ exponent, weights }) => Float32Array.from(weights, (value) => value * 2 ** -exponent))
        : [];
    this.round();
  }

  /** One step. Returns the probability that the label had before, Q15. */
  learn(features: Int16Array, label: number): number {
    const { params, rates } = this.what;
    let probability: number;
    if (this.floats.length > 0) probability = adaptStepF32(params, rates, this.floats, features, label);
    else {
      probability = adaptAccumulate(params, this.fixed, features, label, this.gradients);
      adaptApply(params, this.fixed, this.gradients, null);
    }
    this.steps += 1;
    this.round();
    return probability;
  }

  /** What the device keeps: by layer exponents (0 in float) and weights. */
  kept(): { exponent: number; weights: Int16Array | Float32Array }[] {
    return this.floats.length > 0 ? this.floats.map((weights) => ({ exponent: 0, weights })) : this.fixed;
  }

  private round(): void {
    if (this.floats.length > 0) this.fixed = this.floats.map((values) => weights16(values, 0));
  }
}
