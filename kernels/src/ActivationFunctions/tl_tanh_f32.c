/* SPDX-License-Identifier: MIT
 * TANH in float32. */
#include "tl_float.h"
#include "tl_float_math.h"

/* Refer header file for details. */
tl_status tl_tanh_f32(const float *input, int32_t size, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = tl_tanh_one_f32(input[i]);
    }
    return TL_OK;
}
