/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_support.h"

/* floor(sqrt(value)), at least 1. */
static int32_t square_root(int32_t value)
{
    int32_t root = 0;
    for (int32_t bit = 1 << 15; bit != 0; bit >>= 1) {
        const int32_t candidate = root + bit;
        if ((int64_t)candidate * candidate <= value) {
            root = candidate;
        }
    }
    return tl_max(root, 1);
}

int32_t tl_cosine_powers(int32_t sharpness, int32_t squared_norm, int32_t classes, const int32_t *scores, int32_t *powers)
{
    const int32_t norm = square_root(squared_norm);
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
