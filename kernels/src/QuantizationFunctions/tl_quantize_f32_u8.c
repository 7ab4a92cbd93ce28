/* SPDX-License-Identifier: MIT
 * QUANTIZE of float to uint8. */
#include "tl_quantization_support.h"

/* Refer header file for details. */
tl_status tl_quantize_f32_u8(float scale, int32_t zero_point, const float *input, uint8_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = (uint8_t)tl_clamp(tl_rounded_quotient(input[i], scale) + zero_point, 0, UINT8_MAX);
    }
    return TL_OK;
}
