/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_sticky_filter(const tl_sticky_params *params, int32_t *belief, const int32_t *likelihoods)
{
    int32_t total = 0;
    for (int32_t c = 0; c < params->classes; ++c) {
        total += belief[c];
    }
    uint64_t sum = 0;
    for (int32_t c = 0; c < params->classes; ++c) {
        /* Q30 to Q15, never quite zero: a belief can always come back. */
        const int64_t predicted = ((int64_t)params->stay * belief[c] + (int64_t)params->change * total) >> 15;
        const int64_t joint = likelihoods == NULL ? predicted << 15 : predicted * likelihoods[c];
        belief[c] = (int32_t)(joint >> 8) + 1;
        sum += (uint64_t)belief[c];
    }
    int32_t best = 0;
    for (int32_t c = 0; c < params->classes; ++c) {
        belief[c] = (int32_t)(((uint64_t)belief[c] << 15) / sum);
        if (belief[c] > belief[best]) {
            best = c;
        }
    }
    return best;
}
