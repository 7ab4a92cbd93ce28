/** The C program of adaptation-case.ts, and its input. */
import type { AdaptLayer } from '../../firmware-gen/ir/adaptation.ts';
import { weights16 } from '../../firmware-gen/reference/adaptation/layers.ts';
import {
  BATCH,
  CLASSES,
  HIDDEN,
  SAMPLES,
  SEED,
  SIZE,
  UNIT_OFFSETS,
  blockStart,
  calibrationOf,
  floatVariants,
  headStart,
  inverse,
  labels,
  phi,
  ratesOf,
  scales,
  startOf,
  variants,
  type Variant,
} from './adaptation-case.ts';
import { packed } from './signal-c.ts';

const scaleWords = Int32Array.from(
  scales.flatMap(({ multiplier, shift, zeroPoint }) => [multiplier, shift, zeroPoint]),
);
const starts = variants.map((one) => startOf(one).map((values) => weights16(values, one.headroom)));
const [floats] = [[...headStart, ...blockStart]];
export const input = packed([
  phi,
  labels,
  scaleWords,
  ...floats.map((values) => new Uint8Array(values.buffer)),
  ...starts.flat().map(({ weights }) => weights),
]);
const FIRST_START = 3 + floats.length;

const int = (value: number | boolean): string => String(Number(value));

function layerTable(name: string, layers: readonly AdaptLayer[]): string {
  const rows = layers.map((one) => {
    const { size, outputs, isRelu, rateMantissa, rateShift, gradientShift, deltaShift } = one;
    return `    {${[size, outputs, isRelu, rateMantissa, rateShift, gradientShift, deltaShift].map(int).join(', ')}},`;
  });
  return `static const tl_adapt_layer ${name}[] = {\n${rows.join('\n')}\n};\n`;
}

function calibrationTables(name: string, layers: readonly AdaptLayer[]): string {
  const list = (values: readonly number[]): string => `{${values.join(', ')}}`;
  const calibrations = calibrationOf(layers).map(({ weights, output }, i) =>
    [
      ['weight_multiplier', weights.map(({ multiplier }) => multiplier)],
      ['weight_shift', weights.map(({ shift }) => shift)],
      ['output_multiplier', output.map(({ multiplier }) => multiplier)],
      ['output_shift', output.map(({ shift }) => shift)],
    ].map(([field, values]) => `static const int32_t ${name}_${field as string}${i}[] = ${list(values as number[])};`),
  );
  const fields = ['weight_multiplier', 'weight_shift', 'output_multiplier', 'output_shift'];
  const entries = layers.map((_, i) => `    {${fields.map((field) => `${name}_${field}${i}`).join(', ')}, -5},`);
  return `${calibrations.flat().join('\n')}
static const tl_adapt_calibration ${name}_calibration[] = {\n${entries.join('\n')}\n};\n`;
}

/** C statements of one variant; `next` is where results go. */
function variantCalls(one: Variant, index: number): string {
  const { layers } = one.params;
  const first = FIRST_START + starts.slice(0, index).reduce((sum, held) => sum + held.length, 0);
  const copies = layers.map(
    (layer, i) => `        weights[${i}].exponent = ${starts[index]![i]!.exponent};
        memcpy(weights[${i}].weights, input + ${input.at[first + i]}, ${2 * layer.outputs * (layer.size + 1)});`,
  );
  const { biasOnly, isDynamic } = one.params;
  return `    {
        const tl_adapt_params params = {layers${index}, ${layers.length}, ${int(biasOnly)}, ${int(isDynamic)}};
${copies.join('\n')}
        next = run(&params, ${one.isStochastic ? `${SEED}U` : '0U'}, layers${index}_calibration, labels, next);
    }`;
}

function floatCalls(layers: readonly AdaptLayer[], index: number): string {
  const first = index === 0 ? 3 : 3 + headStart.length;
  const counts = layers.map(({ size, outputs }) => outputs * (size + 1));
  return `    {
        const tl_adapt_params params = {floats${index}, ${layers.length}, 0, 0};
        const float rates[] = {${ratesOf(layers)
          .map((rate) => `${rate}f`)
          .join(', ')}};
        int32_t probability = 0;
${counts.map((count, i) => `        memcpy(floats[${i}], input + ${input.at[first + i]}, ${4 * count});`).join('\n')}
        for (int32_t i = 0; i < ${SAMPLES}; ++i) {
            probability += tl_adapt_step_f32(&params, rates, floats, features + ${SIZE} * i, labels[i], scratch);
        }
${counts.map((count, i) => `        next = put(next, floats[${i}], ${4 * count});`).join('\n')}
        next = put(next, &probability, 4);
${counts
  .map(
    (count, i) => `        tl_adapt_weights_s16(floats[${i}], ${count}, 1, &weights[${i}]);
        next = put(next, &weights[${i}].exponent, 4);
        next = put(next, weights[${i}].weights, ${2 * count});`,
  )
  .join('\n')}
    }`;
}

export function program(): string {
  const largest = Math.max(SIZE, HIDDEN, CLASSES) * (SIZE + 1);
  return `#include <string.h>
#include "tl_adaptation.h"

${variants.map(({ params }, i) => layerTable(`layers${i}`, params.layers) + calibrationTables(`layers${i}`, params.layers)).join('\n')}
${floatVariants.map((layers, i) => layerTable(`floats${i}`, layers)).join('\n')}
static const int32_t inverse[] = {${inverse.multiplier}, ${inverse.shift}};
static int16_t features[${SAMPLES * SIZE}];
static int16_t units[${SIZE}];
static int16_t mantissas[2][${largest}];
static tl_adapt_weights weights[2] = {{0, mantissas[0]}, {0, mantissas[1]}};

static uint8_t *put(uint8_t *to, const void *from, uint32_t bytes)
{
    memcpy(to, from, bytes);
    return to + bytes;
}

static uint8_t *classify(const tl_adapt_params *params, const tl_adapt_calibration *calibration, uint8_t *next)
{
    int8_t weights8[2][${largest}];
    int32_t bias[2][${Math.max(SIZE, HIDDEN, CLASSES)}];
    tl_adapt_layer_s8 layers[2] = {{weights8[0], bias[0], 0}, {weights8[1], bias[1], 0}};
    int16_t hidden[${HIDDEN}];
    int32_t sums[${HIDDEN}];
    int32_t scores[${CLASSES}];
    for (int32_t i = 0; i < params->layer_count; ++i) {
        tl_adapt_quantize_s8(&params->layers[i], &weights[i], calibration == NULL ? NULL : &calibration[i], &layers[i]);
    }
    for (int32_t i = 0; i < ${SAMPLES}; ++i) {
        tl_adapt_classify_s8(params, layers, calibration, features + ${SIZE} * i, hidden, sums, scores);
        next = put(next, scores, sizeof(scores));
    }
    return next;
}

static uint8_t *run(const tl_adapt_params *params,
                    uint32_t seed,
                    const tl_adapt_calibration *calibration,
                    const int32_t *labels,
                    uint8_t *next)
{
    int16_t hidden[${HIDDEN}];
    int32_t back[${HIDDEN}];
    int32_t logits[${CLASSES}];
    int32_t delta[${CLASSES}];
    int32_t gradient[2][${largest}];
    tl_adapt_scratch scratch = {hidden, back, logits, delta, {gradient[0], gradient[1]}, {0, 0}, 0};
    int32_t probability = 0;
    uint32_t random = seed;
    memset(gradient, 0, sizeof(gradient));
    for (int32_t i = 0; i < ${SAMPLES}; ++i) {
        probability += tl_adapt_accumulate_s16(params, weights, features + ${SIZE} * i, labels[i], &scratch);
        if (i % ${BATCH} == ${BATCH - 1}) {
            tl_adapt_apply_s16(params, weights, &scratch, seed != 0 ? &random : NULL);
        }
    }
    for (int32_t i = 0; i < params->layer_count; ++i) {
        next = put(next, &weights[i].exponent, 4);
        next = put(next, weights[i].weights, 2U * (uint32_t)(params->layers[i].outputs * (params->layers[i].size + 1)));
    }
    next = put(next, &probability, 4);
    next = classify(params, calibration, next);
    return classify(params, NULL, next);
}

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    static float values[2][${largest}];
    float *floats[2] = {values[0], values[1]};
    float scratch[${CLASSES + 2 * HIDDEN}];
    const int32_t *labels = (const int32_t *)(const void *)(input + ${input.at[1]});
    const int32_t *scales = (const int32_t *)(const void *)(input + ${input.at[2]});
    uint8_t *next = output;
    for (int32_t i = 0; i < ${SAMPLES}; ++i) {
        tl_adapt_features_s16((const int8_t *)input + ${SIZE} * i, ${SIZE}, scales + 3 * i, inverse, features + ${SIZE} * i);
    }
    next = put(next, features, sizeof(features));
${UNIT_OFFSETS.map(
  (offset) => `    for (int32_t i = 0; i < ${SAMPLES}; ++i) {
        tl_adapt_unit_features_s16((const int8_t *)input + ${SIZE} * i, ${SIZE}, ${offset}, units);
        next = put(next, units, sizeof(units));
    }`,
).join('\n')}
${floatVariants.map(floatCalls).join('\n')}
${variants.map(variantCalls).join('\n')}
}
`;
}
