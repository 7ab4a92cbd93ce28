/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

void tl_dynamic_realign(
    const tl_dynamic_range *range, int32_t ratio, int32_t old_zero_point, int8_t *values, int32_t count)
{
    const int32_t zero_point = range->zero_point;
    for (; count > 0; count--) {
        *values = tl_dynamic_q(4 * (*values - old_zero_point), ratio, zero_point);
        values++;
    }
}
