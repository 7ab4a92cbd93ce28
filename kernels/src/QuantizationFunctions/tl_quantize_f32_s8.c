/* SPDX-License-Identifier: MIT
 * QUANTIZE of float to int8. Rounds without the library's roundf: after truncation the fraction is exact, and it decides. */
#include "tl_quantization.h"
#include "tl_support.h"

/* Quotients beyond this saturate for every zero point; the conversion to int32 stays defined, and fractions stay exact in float. */
#define QUOTIENT_LIMIT 1024.0F

TL_INLINE int32_t round_half_away(float value)
{
    const int32_t whole = (int32_t)value;
    const float fraction = value - (float)whole;
    return whole + (fraction >= 0.5F) - (fraction <= -0.5F);
}

/* Refer header file for details. */
tl_status tl_quantize_f32_s8(float scale, int32_t zero_point, const float *input, int8_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; ++i) {
        float quotient = input[i] / scale;
        if (quotient != quotient) {
            quotient = 0.0F;
        }
        quotient = quotient < -QUOTIENT_LIMIT ? -QUOTIENT_LIMIT : quotient;
        quotient = quotient > QUOTIENT_LIMIT ? QUOTIENT_LIMIT : quotient;
        output[i] = (int8_t)tl_clamp(round_half_away(quotient) + zero_point, INT8_MIN, INT8_MAX);
    }
    return TL_OK;
}
