/** Training in float32 with a fixed order of operations: the twin of tl_adapt_step_f32, bit for bit. */
import type { AdaptLayer, AdaptParams } from '../../ir/adaptation.ts';
import { expF32 } from '../float-math.ts';
import { BIAS_INPUT } from './layers.ts';

const f = Math.fround;

function sum({ size }: AdaptLayer, weights: Float32Array, output: number, inputs: ArrayLike<number>): number {
  const row = output * (size + 1);
  let total = f(weights[row + size]! * BIAS_INPUT);
  for (let i = 0; i < size; i += 1) total = f(total + f(weights[row + i]! * inputs[i]!));
  return total;
}

function learn(
  biasOnly: boolean,
  { size, outputs }: AdaptLayer,
  rate: number,
  weights: Float32Array,
  delta: Float32Array,
  inputs: ArrayLike<number>,
): void {
  for (let c = 0; c < outputs; c += 1) {
    const row = c * (size + 1);
    const step = f(f(rate) * delta[c]!);
    for (let i = 0; i < size && !biasOnly; i += 1) weights[row + i] = f(weights[row + i]! - f(step * inputs[i]!));
    weights[row + size] = f(weights[row + size]! - f(step * BIAS_INPUT));
  }
}

/** p - 1 for the label, p for the others, and the label's p in Q15. */
function deltas(logits: Float32Array, label: number): { delta: Float32Array; probability: number } {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => expF32(f(logit - largest)));
  const total = powers.reduce((all, value) => f(all + value), 0);
  return {
    delta: powers.map((power, c) => f(f(power / total) - (c === label ? 1 : 0))),
    probability: Math.trunc(f(f(powers[label]! / total) * 32768)),
  };
}

/** One sample's step, in place. @param rates, weights by layer. Returns the probability that the label had before, Q15. */
export function adaptStepF32(
  { layers, biasOnly }: AdaptParams,
  rates: readonly number[],
  weights: readonly Float32Array[],
  features: Int16Array,
  label: number,
): number {
  const [head, headWeights, headRate] = [layers.at(-1)!, weights.at(-1)!, rates.at(-1)!];
  let inputs: ArrayLike<number> = features;
  if (layers.length > 1) {
    const first = layers[0]!;
    inputs = Float32Array.from({ length: first.outputs }, (_, i) => {
      const value = sum(first, weights[0]!, i, features);
      return first.isRelu && value < 0 ? 0 : value;
    });
  }
  const logits = Float32Array.from({ length: head.outputs }, (_, c) => sum(head, headWeights, c, inputs));
  const { delta, probability } = deltas(logits, label);
  const back = Float32Array.from({ length: layers.length > 1 ? head.size : 0 }, (_, i) => {
    if (layers[0]!.isRelu && !(inputs[i]! > 0)) return 0;
    let value = 0;
    for (let c = 0; c < head.outputs; c += 1) value = f(value + f(delta[c]! * headWeights[c * (head.size + 1) + i]!));
    return value;
  });
  learn(biasOnly, head, headRate, headWeights, delta, inputs);
  if (layers.length > 1) learn(biasOnly, layers[0]!, rates[0]!, weights[0]!, back, features);
  return probability;
}
