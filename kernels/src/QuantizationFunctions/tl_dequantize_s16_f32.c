/* SPDX-License-Identifier: MIT
 * DEQUANTIZE of int16. TFLite multiplies in double and rounds to float; the product of a float and an int16 is exact in double, so one float
 * multiplication gives the same bits. */
#include "tl_int16.h"

/* Refer header file for details. */
tl_status tl_dequantize_s16_f32(float scale, const int16_t *input, int32_t size, float *output)
{
    for (int32_t i = 0; i < size; ++i) {
        output[i] = scale * (float)input[i];
    }
    return TL_OK;
}
