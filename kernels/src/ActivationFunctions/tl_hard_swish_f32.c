/* SPDX-License-Identifier: MIT
 * HARD_SWISH in float32. */
#include "tl_float.h"

/* Refer header file for details. */
tl_status tl_hard_swish_f32(const float *input, int32_t size, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        const float value = input[i];
        const float raised = value + 3.0f > 0.0f ? value + 3.0f : 0.0f;
        const float gate = raised < 6.0f ? raised : 6.0f;
        output[i] = value * gate / 6.0f;
    }
    return TL_OK;
}
