/** Training on the device: C against its twin, bit for bit, and what 16 bits make of a problem that float solves. */
import type { Weights16 } from '../../firmware-gen/ir/adaptation.ts';
import { describe, expect, it } from 'vitest';
import { adaptClassify, adaptQuantize } from '../../firmware-gen/reference/adaptation/inference-s8.ts';
import { UNIT_LENGTH, adaptFeatures, rateOf, weights16 } from '../../firmware-gen/reference/adaptation/layers.ts';
import { adaptForward } from '../../firmware-gen/reference/adaptation/training-s16.ts';
import { runScale } from '../../firmware-gen/ir/dynamic.ts';
import {
  SAMPLES,
  SIZE,
  UNIT_OFFSETS,
  expected,
  features,
  floatVariants,
  labels,
  trained,
  trainedF32,
  unitFeatures,
  variants,
  type Variant,
} from './adaptation-case.ts';
import { input, program } from './adaptation-program.ts';
import { FORMS } from './op-cases.ts';
import { runProgram } from './run-program.ts';

describe.each(FORMS)('training on the device, %s', (form) => {
  it('should equal its twins', async () => {
    const wanted = expected();
    const { output } = await runProgram({ source: program(), input: input.bytes, outputBytes: wanted.length }, form);
    const at = output.findIndex((byte, i) => byte !== wanted[i]);
    expect(at, 'first byte that differs').toBe(-1);
  });
});

describe('unit features', () => {
  it('should have one length, whatever the features', () => {
    for (const [k, ones] of unitFeatures.entries())
      for (const [i, one] of ones.entries()) {
        const length = Math.hypot(...one);
        if (UNIT_OFFSETS[k] === -5 && i === SAMPLES - 1) expect(length).toBe(0);
        // The root is rounded down: of a norm of 30 at most a thirtieth.
        else expect(Math.abs(length / UNIT_LENGTH - 1)).toBeLessThan(1 / 30);
      }
  });
});

describe('16-bit training', () => {
  const byName = (name: string): Variant => variants.find((variant) => variant.name === name)!;
  const accuracy = ({ params }: Variant, weights: readonly Weights16[]): number => {
    const right = [...labels].filter((label, i) => {
      const { logits } = adaptForward(params, weights, features[i]!);
      return logits.indexOf(Math.max(...logits)) === label;
    });
    return right.length / SAMPLES;
  };

  it('should learn with dynamic scales what float learns', () => {
    for (const [name, layers] of [
      ['dynamic', floatVariants[0]!],
      ['dynamic, stochastic rounding', floatVariants[0]!],
      ['block, dynamic', floatVariants[1]!],
    ] as const) {
      const one = byName(name);
      const float = accuracy(
        one,
        trainedF32(layers).weights.map((values) => weights16(values, 0)),
      );
      expect(float, name).toBeGreaterThan(0.75);
      expect(accuracy(one, trained(one, 1).weights), name).toBeGreaterThanOrEqual(float - 0.05);
    }
  });

  it('should classify in 8 bits with scales found at run time as the training does in 16', () => {
    for (const name of ['dynamic', 'block, dynamic']) {
      const { params } = byName(name);
      const { weights } = trained(byName(name));
      const layers8 = params.layers.map((layer, i) => adaptQuantize(layer, weights[i]!, null));
      const agree = features.filter((one) => {
        const { logits } = adaptForward(params, weights, one);
        return adaptClassify(params, layers8, null, one).label === logits.indexOf(Math.max(...logits));
      });
      expect(agree.length, name).toBeGreaterThan(0.9 * SAMPLES);
    }
  });

  it('should lower the exponent of weights that grow', () => {
    const diverging = byName('diverging');
    const [state] = trained(diverging).weights;
    expect(state!.exponent).toBe(0);
  });

  it('should leave weights alone when only biases learn', () => {
    const biases = byName('bias only');
    const [after] = trained(biases).weights;
    const before = untrained(biases);
    const halvings = before.exponent - after!.exponent;
    const moved = [...after!.weights.keys()].filter((i) => after!.weights[i] !== before.weights[i]! >> halvings);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.every((i) => i % (SIZE + 1) === SIZE)).toBe(true);
  });

  it('should hold rates to 15 bits', () => {
    for (const rate of [5000, 37, 1, 0.37, 1 / 4096, 1e-9]) {
      const { rateMantissa, rateShift } = rateOf(rate);
      expect(Math.abs(rateMantissa * 2 ** -(15 + rateShift) - rate) / rate).toBeLessThan(2 ** -14);
    }
  });

  it('should give the same features whatever scale an encoder found', () => {
    const inverse = runScale(16 / 0.05);
    const coarse = adaptFeatures(Int8Array.of(10, -3, 127), runScale(0.05, 2), inverse);
    const fine = adaptFeatures(Int8Array.of(32, -20, 124), runScale(0.0125, 0), inverse);
    expect([...coarse]).toEqual([8 * 16, -5 * 16, 125 * 16]);
    expect([...fine]).toEqual([32 * 4, -20 * 4, 124 * 4]);
  });
});

/** After steps that are too small to move anything. */
function untrained(variant: Variant): Weights16 {
  const layers = variant.params.layers.map((layer) => ({ ...layer, ...rateOf(1e-12) }));
  return trained({ ...variant, params: { ...variant.params, layers } }).weights[0]!;
}
