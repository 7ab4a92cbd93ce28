/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"
#include "tl_decision.h"

/* 1024 * log2(e), rounded. */
#define EXPONENT_STEP 1477

/* Softmax in Q15: powers of two of the logits' distances to the largest, divided by their sum. */
static void softmax(int32_t classes, const int32_t *logits, int32_t best, int32_t *p)
{
    int32_t sum = 0;
    for (int32_t c = 0; c < classes; ++c) {
        const int64_t distance = ((int64_t)logits[best] - logits[c]) * EXPONENT_STEP >> 16;
        p[c] = tl_exp2_q15(distance > 16 * 1024 ? -16 * 1024 : -(int32_t)distance);
        sum += p[c];
    }
    for (int32_t c = 0; c < classes; ++c) {
        p[c] = (int32_t)(((uint32_t)p[c] * 32768U) / (uint32_t)sum);
    }
}

/* What the head's deltas mean for its inputs, into `back`, at most 16 bits each. Returns their exponent. */
static int32_t go_back(const tl_adapt_params *params,
                       const tl_adapt_layer *head,
                       const tl_adapt_weights *weights,
                       tl_adapt_scratch *scratch)
{
    int32_t shift = params->layers[0].delta_shift;
    int32_t *back = scratch->back;
    uint32_t any = 0;
    /* 16 bits times 16 bits times 64 classes: five bits less fit 32. */
    for (int32_t i = 0; i < head->size; ++i) {
        int64_t sum = 0;
        for (int32_t c = 0; c < head->outputs; ++c) {
            sum += scratch->delta[c] * weights->weights[c * (head->size + 1) + i];
        }
        back[i] = params->layers[0].is_relu != 0 && scratch->hidden[i] <= 0 ? 0 : (int32_t)(sum >> 5);
        any |= (uint32_t)(back[i] ^ (back[i] >> 31));
    }
    if (params->is_dynamic != 0) {
        shift = tl_adapt_shift_to(any, TL_ADAPT_BITS);
    }
    for (int32_t i = 0; i < head->size; ++i) {
        back[i] = tl_clamp(back[i] >> tl_min(shift, 31), INT16_MIN, INT16_MAX);
    }
    return 15 - 5 + weights->exponent - shift;
}

/* Gradients of one batch count in one exponent, the smallest of any sample. Returns how far this sample's deltas are
 * shifted right. */
static int32_t align(const tl_adapt_layer *layer, tl_adapt_scratch *scratch, int32_t index, int32_t exponent)
{
    int32_t *held = &scratch->gradient_exponent[index];
    const int32_t ahead = exponent - *held;
    if (scratch->samples == 0) {
        *held = exponent;
        return 0;
    }
    if (ahead >= 0) {
        return tl_min(ahead, 31);
    }
    for (int32_t i = 0; i < layer->outputs * (layer->size + 1); ++i) {
        scratch->gradient[index][i] >>= tl_min(-ahead, 31);
    }
    *held = exponent;
    return 0;
}

static void add_products(const tl_adapt_params *params,
                         const tl_adapt_layer *layer,
                         const int32_t *delta,
                         int32_t shift,
                         const int16_t *inputs,
                         int32_t *gradient)
{
    for (int32_t c = 0; c < layer->outputs; ++c, gradient += layer->size + 1) {
        const int32_t slope = delta[c] >> shift;
        for (int32_t i = 0; i < layer->size && params->bias_only == 0; ++i) {
            gradient[i] += slope * inputs[i] >> TL_ADAPT_PRODUCT_SHIFT;
        }
        gradient[layer->size] += slope * TL_ADAPT_BIAS_INPUT >> TL_ADAPT_PRODUCT_SHIFT;
    }
}

int32_t tl_adapt_accumulate_s16(const tl_adapt_params *params,
                                const tl_adapt_weights *weights,
                                const int16_t *features,
                                int32_t label,
                                tl_adapt_scratch *scratch)
{
    const int32_t last = params->layer_count - 1;
    const tl_adapt_layer *head = &params->layers[last];
    const int32_t best = tl_adapt_forward_s16(params, weights, features, scratch);
    softmax(head->outputs, scratch->logits, best, scratch->delta);
    const int32_t probability = scratch->delta[label];
    scratch->delta[label] -= 32768;
    if (last > 0) {
        const int32_t exponent = go_back(params, head, &weights[last], scratch) - TL_ADAPT_PRODUCT_SHIFT;
        const int32_t shift = align(params->layers, scratch, 0, exponent);
        add_products(params, params->layers, scratch->back, shift, features, scratch->gradient[0]);
    }
    scratch->gradient_exponent[last] = 15 - TL_ADAPT_PRODUCT_SHIFT;
    add_products(params, head, scratch->delta, 0, last > 0 ? scratch->hidden : features, scratch->gradient[last]);
    ++scratch->samples;
    return probability;
}
