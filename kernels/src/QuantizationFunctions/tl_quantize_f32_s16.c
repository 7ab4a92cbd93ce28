/* SPDX-License-Identifier: MIT
 * QUANTIZE of float to int16. Rounds without the library's roundf: after truncation the fraction is exact, and it decides. */
#include "tl_int16.h"
#include "tl_support.h"

/* Quotients beyond this saturate; the conversion to int32 stays defined, and fractions stay exact in float. */
#define QUOTIENT_LIMIT 65536.0f

TL_INLINE int32_t round_half_away(float value)
{
    const int32_t whole = (int32_t)value;
    const float fraction = value - (float)whole;
    return whole + (fraction >= 0.5f) - (fraction <= -0.5f);
}

/* Refer header file for details. */
tl_status tl_quantize_f32_s16(float scale, const float *input, int32_t size, int16_t *output)
{
    for (int32_t i = 0; i < size; ++i) {
        float quotient = input[i] / scale;
        if (quotient != quotient) {
            quotient = 0.0f;
        }
        quotient = quotient < -QUOTIENT_LIMIT ? -QUOTIENT_LIMIT : quotient;
        quotient = quotient > QUOTIENT_LIMIT ? QUOTIENT_LIMIT : quotient;
        output[i] = (int16_t)tl_clamp(round_half_away(quotient), INT16_MIN, INT16_MAX);
    }
    return TL_OK;
}
