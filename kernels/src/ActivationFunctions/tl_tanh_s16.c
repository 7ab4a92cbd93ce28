/* SPDX-License-Identifier: MIT
 * TANH of int16: 2 / (1 + e^-2x) - 1, from the table of LOGISTIC. */
#include "tl_int16.h"
#include "tl_support.h"

#define FRACTION_BITS 8

/* Refer header file for details. */
tl_status tl_tanh_s16(const tl_sigmoid_params_s16 *params, const int16_t *input, int32_t size, int16_t *output)
{
    const int32_t half = params->shift > 0 ? 1 << (params->shift - 1) : 0;

    for (int32_t i = 0; i < size; ++i) {
        const int32_t x = (input[i] * params->multiplier + half) >> params->shift;
        const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
        /* Units of 2^-24; minus 1/2, doubled by the shift being one less than 9. */
        const int32_t value = (int32_t)tl_sigmoid_interpolate_s16(magnitude, FRACTION_BITS, 0xFFFF) - (1 << 23);
        output[i] = (int16_t)(((x >= 0 ? value : -value - 1) + (1 << 7)) >> 8);
    }
    return TL_OK;
}
