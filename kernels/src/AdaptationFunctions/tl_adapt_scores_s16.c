/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation.h"

int32_t tl_adapt_scores_s16(const tl_adapt_params *params,
                            const tl_adapt_weights *weights,
                            const int8_t *phi,
                            int32_t *logits)
{
    const int16_t *row = weights->weights;
    int32_t best = 0;
    for (int32_t c = 0; c < params->classes; ++c, row += params->size + 1) {
        int64_t sum = row[params->size] * TL_ADAPT_BIAS_INPUT;
        for (int32_t i = 0; i < params->size; ++i) {
            sum += row[i] * (phi[i] + params->offset);
        }
        logits[c] = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
        if (logits[c] > logits[best]) {
            best = c;
        }
    }
    return best;
}
