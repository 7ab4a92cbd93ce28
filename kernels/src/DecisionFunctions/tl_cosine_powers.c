/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_decision_support.h"

int32_t tl_cosine_powers(int32_t sharpness, int32_t squared_norm, int32_t classes, const int32_t *scores, int32_t *powers)
{
    const int32_t norm = tl_feature_norm(squared_norm);
    int32_t largest = scores[0];
    for (int32_t c = 1; c < classes; ++c) {
        largest = tl_max(largest, scores[c]);
    }
    int32_t sum = 0;
    for (int32_t c = 0; c < classes; ++c) {
        const int64_t exponent = ((int64_t)largest - scores[c]) * sharpness / norm >> 8;
        powers[c] = tl_exp2_q15(exponent > 16 * 1024 ? -16 * 1024 : -(int32_t)exponent);
        sum += powers[c];
    }
    return sum;
}
