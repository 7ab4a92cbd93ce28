/* SPDX-License-Identifier: MIT
 * LOGISTIC of int16: the table gives 1 / (1 + e^-|x|), and 1 minus it serves negative x. */
#include "tl_int16.h"
#include "tl_support.h"

#define FRACTION_BITS 9

/* Refer header file for details. */
tl_status tl_logistic_s16(const tl_sigmoid_params_s16 *params, const int16_t *input, int32_t size, int16_t *output)
{
    const int32_t half = params->shift > 0 ? 1 << (params->shift - 1) : 0;

    for (int32_t i = 0; i < size; ++i) {
        const int32_t x = (input[i] * params->multiplier + half) >> params->shift;
        const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
        /* Beyond the table TFLite continues with 32767 / 32768 exactly. */
        const uint32_t value = tl_sigmoid_interpolate_s16(magnitude, FRACTION_BITS, 0xFFFE);
        /* Units of 2^-25, rounded to Q0.15. */
        output[i] = (int16_t)((x >= 0 ? value + (1U << 9) : (1U << 25) - value + (1U << 9) - 1U) >> 10);
    }
    return TL_OK;
}
