/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_linear_scores_s8(const tl_linear_params *params, const int8_t *phi, int32_t *scores)
{
    int32_t best = 0;
    const int16_t *weights = params->weights;
    for (int32_t c = 0; c < params->classes; ++c, weights += params->size) {
        int32_t sum = params->bias[c];
        for (int32_t i = 0; i < params->size; ++i) {
            sum += weights[i] * (phi[i] + params->offset);
        }
        scores[c] = sum;
        if (sum > scores[best]) {
            best = c;
        }
    }
    return best;
}
