/** Stochastic gradient descent with Nesterov momentum and decay of weights. Its state is plain arrays, so a checkpoint holds it whole. */
import * as tf from '@tensorflow/tfjs-core';
import { defined } from '../../common/errors.ts';
import type { Parameters } from './parameters.ts';

export interface StepOptions {
  readonly learningRate: number;
  readonly momentum: number;
  /** Factor of the squared weights in the loss, for names that `isDecayed` takes. */
  readonly weightDecay: number;
  /** Length to which the gradient of all moving parameters is cut (Pascanu et al., arXiv 1211.5063). */
  readonly clipNorm: number;
  readonly isDecayed: (name: string) => boolean;
  /** Which trained variables move. */
  readonly moves: (name: string) => boolean;
}

export class Sgd {
  /** By parameter name. */
  readonly velocities: Map<string, Float32Array>;

  constructor(velocities: ReadonlyMap<string, Float32Array> = new Map()) {
    this.velocities = new Map([...velocities].map(([name, values]) => [name, values.slice()]));
  }

  /** One step down the gradient of `loss`; returns its value. */
  step(parameters: Parameters, loss: () => tf.Scalar, options: StepOptions): number {
    const named = parameters.named(options.moves);
    const { value, grads } = tf.variableGrads(
      loss,
      named.map(([, variable]) => variable),
    );
    const result = value.dataSync()[0]!;
    // Gradients come under tfjs's own names.
    const gradients = named.map(([name, variable]) =>
      defined(grads[variable.name], `gradient of ${name}`).dataSync<'float32'>(),
    );
    const norm = Math.sqrt(gradients.reduce((sum, one) => sum + one.reduce((s, g) => s + g * g, 0), 0));
    for (const [i, [name, variable]] of named.entries()) {
      const decay = options.isDecayed(name) ? 2 * options.weightDecay : 0;
      this.#move(name, variable, gradients[i]!, { factor: Math.min(1, options.clipNorm / norm), decay }, options);
    }
    tf.dispose([value, grads]);
    return result;
  }

  #move(
    name: string,
    variable: tf.Variable,
    gradient: Float32Array,
    { factor, decay }: { readonly factor: number; readonly decay: number },
    { learningRate, momentum }: StepOptions,
  ): void {
    const weights = variable.dataSync<'float32'>().slice();
    const velocity = this.velocities.get(name) ?? new Float32Array(weights.length);
    this.velocities.set(name, velocity);
    for (let i = 0; i < weights.length; i += 1) {
      const g = factor * gradient[i]! + decay * weights[i]!;
      velocity[i] = momentum * velocity[i]! + g;
      weights[i]! -= learningRate * (g + momentum * velocity[i]!);
    }
    tf.tidy(() => variable.assign(tf.tensor(weights, variable.shape)));
  }
}
