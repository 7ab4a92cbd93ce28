/* SPDX-License-Identifier: MIT
 * DEQUANTIZE of uint8. */
#include "tl_quantization.h"

/* Refer header file for details. */
tl_status tl_dequantize_u8_f32(float scale, int32_t zero_point, const uint8_t *input, float *output, int32_t size)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = scale * (float)(input[i] - zero_point);
    }
    return TL_OK;
}
