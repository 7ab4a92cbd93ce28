/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include "tl_stream.h"

int32_t tl_running_mean_s16(const tl_running_sums *sums)
{
    const int64_t doubled = 2 * (int64_t)sums->sum + sums->count;
    const int64_t divisor = 2 * (int64_t)sums->count;
    const int64_t quotient = doubled / divisor;
    /* C truncates: one less where that rounded up. */
    return (int32_t)(quotient - (doubled % divisor < 0 ? 1 : 0));
}
