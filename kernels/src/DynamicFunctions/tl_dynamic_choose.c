/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* Larger shifts than any aligned sum needs; 2^(32 - 30) is still a multiplier. */
#define SHIFT_MAX 30

void tl_dynamic_choose(tl_dynamic_range *range, int32_t low, int32_t high)
{
    if (range->is_asymmetric) {
        if (high - low < range->least) {
            high = low + range->least;
        }
        range->range = high - low;
        range->multiplier = (int32_t)(((uint64_t)255 << 32) / (uint32_t)range->range);
        range->zero_point = -128 - tl_smmulr(low, range->multiplier);
        range->covered_low = low;
        range->covered_high = high;
        return;
    }
    const int32_t shift = tl_min(tl_max(tl_bit_length((uint32_t)high) - 7, range->least), SHIFT_MAX);
    range->range = (int32_t)1 << shift;
    range->multiplier = (int32_t)1 << (32 - shift);
    range->zero_point = 0;
    range->covered_low = 0;
    range->covered_high = shift >= 24 ? INT32_MAX : ((int32_t)1 << (shift + 7)) - 1;
}
