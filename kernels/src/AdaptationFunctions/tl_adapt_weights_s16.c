/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation.h"
#include "tl_float_math.h"

void tl_adapt_weights_s16(const float *weights, int32_t count, int32_t headroom, tl_adapt_weights *result)
{
    float largest = 0.0f;
    for (int32_t i = 0; i < count; ++i) {
        const float size = weights[i] < 0.0f ? -weights[i] : weights[i];
        largest = size > largest ? size : largest;
    }
    result->exponent = 40;
    while (result->exponent > 0 &&
           largest * tl_power_of_two_f32(result->exponent) >= tl_power_of_two_f32(15 - headroom)) {
        --result->exponent;
    }
    const float factor = tl_power_of_two_f32(result->exponent);
    for (int32_t i = 0; i < count; ++i) {
        const float value = weights[i] * factor;
        /* To nearest, halves away from zero; what no exponent brings within 16 bits, or is no number, saturates. */
        result->weights[i] = value >= 32766.5f      ? INT16_MAX
                             : !(value > -32767.5f) ? INT16_MIN
                             : value < 0.0f         ? (int16_t)(int32_t)(value - 0.5f)
                                                    : (int16_t)(int32_t)(value + 0.5f);
    }
}
