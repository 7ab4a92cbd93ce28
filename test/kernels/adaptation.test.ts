/** Training of a head on the device: C against its twin, bit for bit, and what 16 bits make of a problem that float solves. */
import { describe, expect, it } from 'vitest';
import {
  adaptAccumulate,
  adaptApply,
  adaptScores,
  adaptStepF32,
  headWeights16,
  rateOf,
  Xorshift32,
  type HeadTraining,
  type HeadWeights16,
} from '../../firmware-gen/reference/adaptation/head-training.ts';
import { createRandom } from '../../learn/random.ts';
import { FORMS } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { packed } from './signal-c.ts';

const [SIZE, CLASSES, SAMPLES, BATCH] = [10, 3, 48, 4];
const COUNT = CLASSES * (SIZE + 1);
const RATE = 1 / 4096;
const SEED = 12345;

const random = createRandom(9);
const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
/** Classes about different centres, some values at the ends of int8. */
const centres = Array.from({ length: CLASSES }, () => Array.from({ length: SIZE }, () => 40 * random.normal()));
const drawn = (label: number): number[] => centres[label]!.map((value) => value + 25 * random.normal());
const features = Int8Array.from(
  [...labels].flatMap((label, i) =>
    drawn(label).map((value) => Math.min(127, Math.max(-128, i === 5 ? 999 * value : value))),
  ),
);
const phiOf = (i: number): Int8Array => features.subarray(SIZE * i, SIZE * (i + 1));
const start = Float32Array.from({ length: COUNT }, () => 0.002 * random.normal());

interface Variant {
  readonly name: string;
  readonly params: HeadTraining;
  readonly headroom: number;
  readonly isStochastic: boolean;
}

const base = {
  size: SIZE,
  classes: CLASSES,
  offset: 3,
  ...rateOf(RATE),
  biasOnly: false,
  isDynamic: true,
  gradientShift: 0,
};
const variants: readonly Variant[] = [
  { name: 'dynamic', params: base, headroom: 0, isStochastic: false },
  { name: 'dynamic, stochastic rounding', params: base, headroom: 0, isStochastic: true },
  { name: 'static', params: { ...base, isDynamic: false, gradientShift: 9 }, headroom: 2, isStochastic: false },
  { name: 'bias only', params: { ...base, biasOnly: true }, headroom: 1, isStochastic: false },
  // Steps so large that weights overflow again and again, and far beyond the smallest exponent.
  { name: 'diverging', params: { ...base, ...rateOf(0.5) }, headroom: 0, isStochastic: false },
];

function trained({ params, headroom, isStochastic }: Variant): HeadWeights16 {
  const state = headWeights16(start, headroom);
  const gradient = new Int32Array(COUNT);
  const generator = isStochastic ? new Xorshift32(SEED) : null;
  for (let i = 0; i < SAMPLES; i += 1) {
    adaptAccumulate(params, state, phiOf(i), labels[i]!, gradient);
    if (i % BATCH === BATCH - 1) adaptApply(params, state, gradient, generator);
  }
  return state;
}

function trainedF32(): Float32Array {
  const weights = start.slice();
  for (let i = 0; i < SAMPLES; i += 1) adaptStepF32(base, RATE, weights, phiOf(i), labels[i]!);
  return weights;
}

const starts = variants.map(({ headroom }) => headWeights16(start, headroom));
const input = packed([features, labels, start as unknown as Int32Array, ...starts.map(({ weights }) => weights)]);

/** Output: float weights, then per variant exponent and weights. */
const BLOCK = 8 * Math.ceil((4 + 2 * COUNT) / 8);
const FLOAT_BYTES = 8 * Math.ceil((4 * COUNT) / 8);

function program(): string {
  const rows = variants.map(({ params: p }) => {
    const fields = [
      p.size,
      p.classes,
      p.offset,
      p.rateMantissa,
      p.rateShift,
      p.biasOnly ? 1 : 0,
      p.isDynamic ? 1 : 0,
      p.gradientShift,
    ];
    return `    {${fields.join(', ')}},`;
  });
  return `#include <string.h>
#include "tl_adaptation.h"

static const tl_adapt_params variants[] = {
${rows.join('\n')}
};
static const int32_t exponents[] = {${starts.map(({ exponent }) => exponent).join(', ')}};
static const uint32_t seeds[] = {${variants.map(({ isStochastic }) => (isStochastic ? `${SEED}U` : '0U')).join(', ')}};
static const int32_t at[] = {${input.at.slice(3).join(', ')}};

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    const int8_t *features = (const int8_t *)input;
    const int32_t *labels = (const int32_t *)(const void *)(input + ${input.at[1]});
    float floats[${COUNT}];
    float probabilities[${CLASSES}];
    memcpy(floats, input + ${input.at[2]}, sizeof(floats));
    for (int32_t i = 0; i < ${SAMPLES}; ++i) {
        tl_adapt_step_f32(${SIZE}, ${CLASSES}, 3, ${RATE}f, floats, features + ${SIZE} * i, labels[i], probabilities);
    }
    memset(output, 0, ${FLOAT_BYTES + BLOCK * variants.length});
    memcpy(output, floats, sizeof(floats));
    for (int32_t v = 0; v < ${variants.length}; ++v) {
        int16_t weights[${COUNT}];
        int32_t gradient[${COUNT}];
        int32_t scratch[${2 * CLASSES}];
        uint32_t random = seeds[v];
        tl_adapt_weights state = {exponents[v], weights};
        memcpy(weights, input + at[v], sizeof(weights));
        memset(gradient, 0, sizeof(gradient));
        for (int32_t i = 0; i < ${SAMPLES}; ++i) {
            tl_adapt_accumulate_s16(&variants[v], &state, features + ${SIZE} * i, labels[i], scratch, gradient);
            if (i % ${BATCH} == ${BATCH - 1}) {
                tl_adapt_apply_s16(&variants[v], &state, gradient, seeds[v] != 0 ? &random : NULL);
            }
        }
        uint8_t *block = output + ${FLOAT_BYTES} + v * ${BLOCK};
        memcpy(block, &state.exponent, 4);
        memcpy(block + 4, weights, sizeof(weights));
    }
}
`;
}

describe.each(FORMS)('training on the device, %s', (form) => {
  it('should equal its twins', async () => {
    const outputBytes = FLOAT_BYTES + BLOCK * variants.length;
    const { output } = await runProgram({ source: program(), input: input.bytes, outputBytes }, form);
    expect(new Float32Array(output.slice(0, 4 * COUNT).buffer)).toEqual(trainedF32());
    for (const [v, variant] of variants.entries()) {
      const block = output.slice(FLOAT_BYTES + v * BLOCK, FLOAT_BYTES + v * BLOCK + 4 + 2 * COUNT);
      const { exponent, weights } = trained(variant);
      expect(new Int32Array(block.slice(0, 4).buffer)[0], variant.name).toBe(exponent);
      expect(new Int16Array(block.slice(4).buffer), variant.name).toEqual(weights);
    }
  });
});

describe('16-bit training', () => {
  const accuracy = (state: HeadWeights16): number => {
    const right = [...labels].filter((label, i) => {
      const scores = adaptScores(base, state, phiOf(i));
      return scores.indexOf(Math.max(...scores)) === label;
    });
    return right.length / SAMPLES;
  };
  const byName = (name: string): Variant => variants.find((variant) => variant.name === name)!;

  it('should learn with dynamic scales what float learns', () => {
    const float = headWeights16(trainedF32(), 0);
    expect(accuracy(headWeights16(start, 0))).toBeLessThan(0.7);
    expect(accuracy(float)).toBeGreaterThan(0.8);
    for (const name of ['dynamic', 'dynamic, stochastic rounding'])
      expect(accuracy(trained(byName(name))), name).toBeGreaterThanOrEqual(accuracy(float) - 0.05);
  });

  it('should lower the exponent of weights that grow', () => {
    const diverged = trained(byName('diverging'));
    expect(diverged.exponent).toBeLessThan(starts[0]!.exponent);
  });

  it('should leave weights alone when only biases learn', () => {
    const variant = byName('bias only');
    const [before, after] = [headWeights16(start, variant.headroom), trained(variant)];
    const halvings = before.exponent - after.exponent;
    for (let i = 0; i < COUNT; i += 1)
      if (i % (SIZE + 1) !== SIZE) expect(after.weights[i]).toBe(before.weights[i]! >> halvings);
    expect(after.weights[SIZE]).not.toBe(before.weights[SIZE]! >> halvings);
  });

  it('should hold rates to 15 bits', () => {
    for (const rate of [1, 0.37, 1 / 4096, 1e-6]) {
      const { rateMantissa, rateShift } = rateOf(rate);
      expect(Math.abs(rateMantissa * 2 ** -(15 + rateShift) - rate) / rate).toBeLessThan(2 ** -14);
    }
  });
});
