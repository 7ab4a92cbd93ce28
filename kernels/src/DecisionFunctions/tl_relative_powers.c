/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_support.h"

int32_t tl_relative_powers(const tl_exponent_scale *scale, int32_t classes, const int32_t *scores, int32_t *powers)
{
    int32_t largest = scores[0];
    for (int32_t c = 1; c < classes; ++c) {
        largest = tl_max(largest, scores[c]);
    }
    int32_t sum = 0;
    for (int32_t c = 0; c < classes; ++c) {
        /* A distance beyond int32 is as good as the largest one. */
        const int64_t distance = (int64_t)scores[c] - largest;
        const int32_t clamped = distance < INT32_MIN ? INT32_MIN : (int32_t)distance;
        powers[c] = tl_exp2_q15(tl_requantize(clamped, scale->multiplier, scale->shift));
        sum += powers[c];
    }
    return sum;
}
