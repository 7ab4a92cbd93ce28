/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_cosine_scores_s8(const tl_cosine_params *params, const int8_t *phi, int32_t *scores, int32_t *squared_norm)
{
    int32_t norm = 0;
    int32_t best = 0;
    for (int32_t i = 0; i < params->size; ++i) {
        const int32_t value = phi[i] + params->offset;
        norm += value * value;
    }
    const int16_t *weights = params->weights;
    for (int32_t c = 0; c < params->classes; ++c, weights += params->size) {
        /* At most 2^15 * 255 * sqrt(size) by Cauchy and Schwarz: partial sums may exceed it, but stay below 2^31 for 256 features and wrap
         * without harm beyond, as the whole does not. */
        uint32_t sum = 0;
        for (int32_t i = 0; i < params->size; ++i) {
            sum += (uint32_t)(weights[i] * (phi[i] + params->offset));
        }
        scores[c] = (int32_t)sum;
        if (scores[c] > scores[best]) {
            best = c;
        }
    }
    *squared_norm = norm;
    return best;
}
