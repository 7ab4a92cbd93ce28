/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"

int32_t tl_max_softmax_accepts(int32_t sum, int32_t sum_max)
{
    return sum <= sum_max;
}
