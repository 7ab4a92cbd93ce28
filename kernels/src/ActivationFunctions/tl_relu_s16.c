/* SPDX-License-Identifier: MIT
 * RELU of int16. */
#include "tl_int16.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_relu_s16(const tl_relu_params_s16 *params, const int16_t *input, int32_t size, int16_t *output)
{
    for (int32_t i = 0; i < size; ++i) {
        const int32_t value = tl_requantize(input[i], params->multiplier, params->shift);
        output[i] = (int16_t)tl_clamp(value, params->activation.min, params->activation.max);
    }
    return TL_OK;
}
