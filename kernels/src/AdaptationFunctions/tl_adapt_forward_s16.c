/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"

/* Fraction bits of logits. */
#define LOGIT_BITS 16

int32_t tl_adapt_forward_s16(const tl_adapt_params *params,
                             const tl_adapt_weights *weights,
                             const int16_t *features,
                             tl_adapt_scratch *scratch)
{
    const tl_adapt_layer *layer = params->layers;
    if (params->layer_count > 1) {
        const int16_t *row = weights->weights;
        for (int32_t i = 0; i < layer->outputs; ++i, row += layer->size + 1) {
            const int32_t value = tl_adapt_scaled(tl_adapt_sum(layer, row, features), weights->exponent);
            scratch->hidden[i] = (int16_t)tl_clamp(value, layer->is_relu != 0 ? 0 : INT16_MIN, INT16_MAX);
        }
        features = scratch->hidden;
        ++layer;
        ++weights;
    }
    int32_t best = 0;
    const int16_t *row = weights->weights;
    for (int32_t c = 0; c < layer->outputs; ++c, row += layer->size + 1) {
        scratch->logits[c] = tl_adapt_scaled(tl_adapt_sum(layer, row, features), weights->exponent - LOGIT_BITS);
        if (scratch->logits[c] > scratch->logits[best]) {
            best = c;
        }
    }
    return best;
}
