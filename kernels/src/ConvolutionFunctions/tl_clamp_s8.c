/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. */
#include "tl_convolution.h"
#include "tl_support.h"

void tl_clamp_s8(int8_t *values, int32_t count, const tl_activation *activation)
{
    const int32_t low = activation->min;
    const int32_t high = activation->max;
    for (int32_t i = 0; i < count; i++) {
        values[i] = (int8_t)tl_clamp(values[i], low, high);
    }
}
