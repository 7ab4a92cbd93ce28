/** The variables of a network by name: trained ones and the running statistics of its normalisations. Initial values are seeded. */
import * as tf from '@tensorflow/tfjs-core';
import { defined } from '../../common/errors.ts';
import { createRandom, type Random } from '../random.ts';

/** Values by name, float32, row-major: what a checkpoint holds. */
export type ParameterValues = ReadonlyMap<string, Float32Array>;

export class Parameters {
  readonly #variables = new Map<string, tf.Variable>();
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  /** Normal with variance 2 / fanIn (He et al., arXiv 1502.01852). */
  weight(name: string, shape: readonly number[], fanIn: number): void {
    const count = shape.reduce((product, extent) => product * extent, 1);
    const deviation = Math.sqrt(2 / fanIn);
    this.#add(
      name,
      shape,
      Float32Array.from({ length: count }, () => deviation * this.#random.normal()),
      true,
    );
  }

  constant(name: string, shape: readonly number[], value: number, trainable = true): void {
    const count = shape.reduce((product, extent) => product * extent, 1);
    this.#add(name, shape, new Float32Array(count).fill(value), trainable);
  }

  #add(name: string, shape: readonly number[], values: Float32Array, trainable: boolean): void {
    this.#variables.get(name)?.dispose();
    // tfjs keeps names of its own; ours are in the map.
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape]), trainable));
    this.#variables.set(name, variable);
  }

  get<R extends tf.Rank = tf.Rank>(name: string): tf.Variable<R> {
    return defined(this.#variables.get(name), `parameter ${name}`) as tf.Variable<R>;
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** Trained variables whose name `keep` takes. */
  named(keep: (name: string) => boolean): (readonly [string, tf.Variable])[] {
    return [...this.#variables].filter(([name, variable]) => variable.trainable && keep(name));
  }

  values(): Map<string, Float32Array> {
    return new Map([...this.#variables].map(([name, variable]) => [name, variable.dataSync<'float32'>().slice()]));
  }

  /** Sets those of `values` that exist here, by name; shapes must agree. */
  load(values: ParameterValues): void {
    for (const [name, data] of values) {
      const variable = this.#variables.get(name);
      if (variable) tf.tidy(() => variable.assign(tf.tensor(data, variable.shape)));
    }
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }
}
