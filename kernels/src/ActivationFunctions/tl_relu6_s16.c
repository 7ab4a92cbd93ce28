/* SPDX-License-Identifier: MIT
 * RELU6 of int16. */
#include "tl_int16.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_relu6_s16(const int16_t *input, int32_t size, int32_t six, int16_t *output)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = (int16_t)tl_clamp(input[i], 0, six);
    }
    return TL_OK;
}
