/* SPDX-License-Identifier: MIT
 * LEAKY_RELU of int16. */
#include "tl_int16.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_leaky_relu_s16(const tl_leaky_relu_params_s16 *params, const int16_t *input, int32_t size, int16_t *output)
{
    for (int32_t i = 0; i < size; ++i) {
        const int32_t value = input[i] >= 0
                                  ? tl_requantize(input[i], params->identity_multiplier, params->identity_shift)
                                  : tl_wrap_mul(tl_requantize(input[i], params->alpha_multiplier, params->alpha_shift), params->alpha_sign);
        output[i] = (int16_t)tl_clamp(value, INT16_MIN, INT16_MAX);
    }
    return TL_OK;
}
