/* SPDX-License-Identifier: MIT
 * RELU6 in float32. */
#include "tl_float.h"

/* Refer header file for details. */
tl_status tl_relu6_f32(const float *input, int32_t size, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        const float value = input[i];
        output[i] = value > 6.0f ? 6.0f : value < 0.0f ? 0.0f : value;
    }
    return TL_OK;
}
