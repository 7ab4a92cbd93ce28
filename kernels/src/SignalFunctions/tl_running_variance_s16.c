/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include "tl_stream.h"

int32_t tl_running_variance_s16(const tl_running_sums *sums)
{
    /* count <= 2^16 and squares <= 2^46: the products stay below 2^62. */
    const int64_t count = sums->count;
    return (int32_t)((count * sums->squares - (int64_t)sums->sum * sums->sum) / (count * count));
}
