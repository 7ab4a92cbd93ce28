/* SPDX-License-Identifier: MIT
 * RELU in float32. */
#include "tl_float.h"

/* Refer header file for details. */
tl_status tl_relu_f32(const float *input, int32_t size, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = input[i] < 0.0f ? 0.0f : input[i];
    }
    return TL_OK;
}
