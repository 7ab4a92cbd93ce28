/* SPDX-License-Identifier: MIT
 * LEAKY_RELU in float32. */
#include "tl_float.h"

/* Refer header file for details. */
tl_status tl_leaky_relu_f32(const float *input, int32_t size, float alpha, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        const float value = input[i];
        output[i] = value > 0.0f ? value : value * alpha;
    }
    return TL_OK;
}
