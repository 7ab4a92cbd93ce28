/* SPDX-License-Identifier: MIT
 * Row maximum. */
#include "tl_softmax_support.h"
#include "tl_support.h"

/* Refer header file for details. */
int32_t tl_softmax_max_s8(const int8_t *row, int32_t depth)
{
    int32_t max = INT8_MIN;
    for (int32_t i = 0; i < depth; ++i) {
        max = tl_max(max, row[i]);
    }
    return max;
}
