/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

int32_t tl_dynamic_grow(tl_dynamic_range *range)
{
    const int32_t old = range->range;
    const int32_t seen = tl_min(range->high, range->upper);
    if (!range->is_asymmetric) {
        tl_dynamic_choose(range, 0, seen);
        return (int32_t)(((uint64_t)(uint32_t)old << 30) / (uint32_t)range->range);
    }
    const int32_t low = tl_min(range->covered_low, range->low);
    const int32_t high = tl_max(range->covered_high, seen);
    /* An eighth more than needed: a range that creeps would be realigned over and over. */
    const int32_t margin = (high - low) >> 3;
    tl_dynamic_choose(range, low < 0 ? low - margin : low, tl_min(high + margin, tl_max(high, range->upper)));
    return (int32_t)(((uint64_t)(uint32_t)old << 30) / (uint32_t)range->range);
}
