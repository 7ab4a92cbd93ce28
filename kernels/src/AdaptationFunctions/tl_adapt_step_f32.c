/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation.h"
#include "tl_float_math.h"

#define BIAS_INPUT ((float)TL_ADAPT_BIAS_INPUT)

/* p[label] - 1 and the others' p, in place of the logits. Returns p[label], Q15. */
static int32_t deltas(int32_t classes, float *logits, int32_t label)
{
    float largest = logits[0];
    for (int32_t c = 1; c < classes; ++c) {
        largest = logits[c] > largest ? logits[c] : largest;
    }
    float total = 0.0f;
    for (int32_t c = 0; c < classes; ++c) {
        logits[c] = tl_exp_f32(logits[c] - largest);
        total += logits[c];
    }
    const int32_t probability = (int32_t)(logits[label] / total * 32768.0f);
    for (int32_t c = 0; c < classes; ++c) {
        logits[c] = logits[c] / total - (c == label ? 1.0f : 0.0f);
    }
    return probability;
}

static float sum_s16(const tl_adapt_layer *layer, const float *row, const int16_t *inputs)
{
    float sum = row[layer->size] * BIAS_INPUT;
    for (int32_t i = 0; i < layer->size; ++i) {
        sum += row[i] * (float)inputs[i];
    }
    return sum;
}

static void learn_s16(const tl_adapt_params *params,
                      const tl_adapt_layer *layer,
                      float rate,
                      float *row,
                      const float *delta,
                      const int16_t *inputs)
{
    for (int32_t c = 0; c < layer->outputs; ++c, row += layer->size + 1) {
        const float step = rate * delta[c];
        for (int32_t i = 0; i < layer->size && params->bias_only == 0; ++i) {
            row[i] -= step * (float)inputs[i];
        }
        row[layer->size] -= step * BIAS_INPUT;
    }
}

static int32_t two_layers(const tl_adapt_params *params,
                          const float *rates,
                          float *const *weights,
                          const int16_t *features,
                          int32_t label,
                          float *scratch)
{
    const tl_adapt_layer *first = &params->layers[0];
    const tl_adapt_layer *head = &params->layers[1];
    float *delta = scratch;
    float *hidden = delta + head->outputs;
    float *back = hidden + head->size;
    for (int32_t i = 0; i < first->outputs; ++i) {
        const float value = sum_s16(first, weights[0] + i * (first->size + 1), features);
        hidden[i] = first->is_relu != 0 && value < 0.0f ? 0.0f : value;
    }
    for (int32_t c = 0; c < head->outputs; ++c) {
        const float *row = weights[1] + c * (head->size + 1);
        delta[c] = row[head->size] * BIAS_INPUT;
        for (int32_t i = 0; i < head->size; ++i) {
            delta[c] += row[i] * hidden[i];
        }
    }
    const int32_t probability = deltas(head->outputs, delta, label);
    for (int32_t i = 0; i < head->size; ++i) {
        back[i] = 0.0f;
        for (int32_t c = 0; c < head->outputs; ++c) {
            back[i] += delta[c] * weights[1][c * (head->size + 1) + i];
        }
        if (first->is_relu != 0 && !(hidden[i] > 0.0f)) {
            back[i] = 0.0f;
        }
    }
    for (int32_t c = 0; c < head->outputs; ++c) {
        float *row = weights[1] + c * (head->size + 1);
        const float step = rates[1] * delta[c];
        for (int32_t i = 0; i < head->size && params->bias_only == 0; ++i) {
            row[i] -= step * hidden[i];
        }
        row[head->size] -= step * BIAS_INPUT;
    }
    learn_s16(params, first, rates[0], weights[0], back, features);
    return probability;
}

int32_t tl_adapt_step_f32(const tl_adapt_params *params,
                          const float *rates,
                          float *const *weights,
                          const int16_t *features,
                          int32_t label,
                          float *scratch)
{
    if (params->layer_count > 1) {
        return two_layers(params, rates, weights, features, label, scratch);
    }
    const tl_adapt_layer *head = params->layers;
    for (int32_t c = 0; c < head->outputs; ++c) {
        scratch[c] = sum_s16(head, weights[0] + c * (head->size + 1), features);
    }
    const int32_t probability = deltas(head->outputs, scratch, label);
    learn_s16(params, head, rates[0], weights[0], scratch, features);
    return probability;
}
