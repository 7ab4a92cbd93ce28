/** One problem for the training kernels in all their variants and what the twins make of it. */
import type { AdaptCalibration, AdaptLayer, AdaptParams, Weights16 } from '../../firmware-gen/ir/adaptation.ts';
import { adaptClassify, adaptQuantize } from '../../firmware-gen/reference/adaptation/inference-s8.ts';
import { adaptFeatures, adaptUnitFeatures, rateOf, weights16 } from '../../firmware-gen/reference/adaptation/layers.ts';
import { adaptStepF32 } from '../../firmware-gen/reference/adaptation/training-f32.ts';
import {
  adaptAccumulate,
  adaptApply,
  newGradients,
  Xorshift32,
} from '../../firmware-gen/reference/adaptation/training-s16.ts';
import { runScale } from '../../firmware-gen/ir/dynamic.ts';
import { createRandom } from '../../learn/random.ts';

export const [SIZE, HIDDEN, CLASSES, SAMPLES] = [10, 7, 3, 48];
export const BATCH = 4;
export const SEED = 12345;

const random = createRandom(9);
export const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
/** Classes about different centres, some values at the ends of int8. */
const centres = Array.from({ length: CLASSES }, () => Array.from({ length: SIZE }, () => 40 * random.normal()));
const drawn = (label: number): number[] => centres[label]!.map((value) => value + 25 * random.normal());
export const phi = Int8Array.from(
  [...labels].flatMap((label, i) =>
    drawn(label).map((value) => Math.min(127, Math.max(-128, i === 5 ? 999 * value : value))),
  ),
);
/** A sample that an offset of -5 leaves nothing of. */
phi.fill(5, SIZE * (SAMPLES - 1));
const STEP = 0.003;
/** The scale of the features changes from sample to sample, as with a dynamic encoder; one overflows 16 bits, one all but vanishes. */
export const scales = Array.from({ length: SAMPLES }, (_, i) =>
  i === 7 ? runScale(40, -3) : i === 8 ? runScale(1e-5, 4, true) : runScale(STEP * 16 * (1 + 0.3 * Math.sin(i)), -3),
);
export const inverse = runScale(1 / STEP);
export const features = Array.from({ length: SAMPLES }, (_, i) =>
  adaptFeatures(phi.subarray(SIZE * i, SIZE * (i + 1)), scales[i]!, inverse),
);

/** Of unit features: the ends, and one that leaves nothing of the last sample. */
export const UNIT_OFFSETS = [-127, -5, 128] as const;
export const unitFeatures = UNIT_OFFSETS.map((offset) =>
  Array.from({ length: SAMPLES }, (_, i) => adaptUnitFeatures(phi.subarray(SIZE * i, SIZE * (i + 1)), offset)),
);

export interface Variant {
  readonly name: string;
  readonly params: AdaptParams;
  readonly headroom: number;
  readonly isStochastic: boolean;
}

const RATE = 2 ** -20;
const dense = (size: number, outputs: number, rate: number, rest: Partial<AdaptLayer> = {}): AdaptLayer => ({
  ...{ size, outputs, isRelu: false, ...rateOf(rate), gradientShift: 6, deltaShift: 12 },
  ...rest,
});
const head = [dense(SIZE, CLASSES, RATE)];
const block = (isRelu: boolean, faster = 1): AdaptLayer[] => [
  dense(SIZE, HIDDEN, 2 ** -11 * faster, { isRelu }),
  dense(HIDDEN, CLASSES, (RATE / 4) * faster),
];
const variant = (
  name: string,
  layers: readonly AdaptLayer[],
  headroom: number,
  rest: Partial<AdaptParams & Variant> = {},
): Variant => {
  const { isDynamic = true, biasOnly = false, isStochastic = false } = rest;
  return { name, params: { layers, isDynamic, biasOnly }, headroom, isStochastic };
};
export const variants: readonly Variant[] = [
  variant('dynamic', head, 0),
  variant('dynamic, stochastic rounding', head, 0, { isStochastic: true }),
  variant('static', head, 2, { isDynamic: false }),
  variant('bias only', head, 1, { biasOnly: true }),
  // Steps so large that weights overflow again and again, and far beyond the smallest exponent.
  variant('diverging', [dense(SIZE, CLASSES, 16)], 0),
  variant('block, dynamic', block(false), 1),
  variant('block with RELU, dynamic', block(true), 1),
  variant('block, static', block(true), 3, { isDynamic: false }),
  variant('block, diverging', block(true, 2 ** 14), 0),
];

const layerStarts = (layers: readonly AdaptLayer[]): Float32Array[] => {
  const own = createRandom(4);
  return layers.map(({ size, outputs }) =>
    Float32Array.from(
      { length: outputs * (size + 1) },
      () => (layers.length > 1 && size === SIZE ? 0.3 : 1e-4) * own.normal(),
    ),
  );
};
export const [headStart, blockStart] = [layerStarts(head), layerStarts(block(true))];
export const startOf = ({ params }: Variant): Float32Array[] => (params.layers.length > 1 ? blockStart : headStart);

export interface TrainedVariant {
  readonly weights: readonly Weights16[];
  readonly probability: number;
  /** Static and dynamic, of every sample. */
  readonly scores: readonly (readonly Int32Array[])[];
}

/** Scales of a made-up calibration, one per output. */
export const calibrationOf = (layers: readonly AdaptLayer[]): AdaptCalibration[] =>
  layers.map(({ outputs }, index) => {
    const step = index === layers.length - 1 ? 2e-6 : 0.004;
    return {
      weights: Array.from({ length: outputs }, (_, c) => runScale((1 + 0.1 * c) / step)),
      output: Array.from({ length: outputs }, (_, c) =>
        runScale((step / (1 + 0.1 * c)) * (index === layers.length - 1 ? 8 : 0.05)),
      ),
      outputZeroPoint: -5,
    };
  });
const inference = (params: AdaptParams, weights: readonly Weights16[]): Int32Array[][] =>
  [calibrationOf(params.layers), null].map((calibration) => {
    const layers8 = params.layers.map((layer, i) => adaptQuantize(layer, weights[i]!, calibration?.[i] ?? null));
    return features.map((one) => adaptClassify(params, layers8, calibration, one).scores);
  });

export function trained(one: Variant, batch = BATCH): TrainedVariant {
  const { params, headroom, isStochastic } = one;
  const weights = startOf(one).map((values) => weights16(values, headroom));
  const gradients = newGradients(params);
  const generator = isStochastic ? new Xorshift32(SEED) : null;
  let probability = 0;
  for (let i = 0; i < SAMPLES; i += 1) {
    probability += adaptAccumulate(params, weights, features[i]!, labels[i]!, gradients);
    if (i % batch === batch - 1) adaptApply(params, weights, gradients, generator);
  }
  return { weights, probability, scores: inference(params, weights) };
}

export function trainedF32(
  layers: readonly AdaptLayer[],
  biasOnly = false,
): { weights: Float32Array[]; probability: number } {
  const weights = (layers.length > 1 ? blockStart : headStart).map((values) => values.slice());
  const params = { layers, biasOnly, isDynamic: false };
  let probability = 0;
  for (let i = 0; i < SAMPLES; i += 1)
    probability += adaptStepF32(params, ratesOf(layers), weights, features[i]!, labels[i]!);
  return { weights, probability };
}

export const ratesOf = (layers: readonly AdaptLayer[]): number[] =>
  layers.map(({ rateMantissa, rateShift }) => rateMantissa * 2 ** -(15 + rateShift));

export const floatVariants = [head, block(false), block(true)];

/** Bytes of one variant's results: per layer exponent and weights, the sum of probabilities, scores. */
export function expected(): Uint8Array {
  const parts: (Int16Array | Int32Array | Float32Array)[] = [
    Int16Array.from(features.flatMap((one) => [...one])),
    ...unitFeatures.flat(),
  ];
  for (const layers of floatVariants) {
    const { weights, probability } = trainedF32(layers);
    parts.push(...weights, Int32Array.of(probability));
    for (const values of weights) {
      const { exponent, weights: fixed } = weights16(values, 1);
      parts.push(Int32Array.of(exponent), fixed);
    }
  }
  for (const one of variants) {
    const { weights, probability, scores } = trained(one);
    for (const { exponent, weights: values } of weights) parts.push(Int32Array.of(exponent), values);
    parts.push(Int32Array.of(probability), ...scores.flat());
  }
  return Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(part.buffer, part.byteOffset, part.byteLength)]));
}
