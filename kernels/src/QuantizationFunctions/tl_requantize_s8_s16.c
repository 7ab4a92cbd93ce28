/* SPDX-License-Identifier: MIT
 * QUANTIZE of int8 to int16. */
#include "tl_quantization.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_requantize_s8_s16(const tl_requantize_params *params, const int8_t *input, int16_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; ++i) {
        const int32_t value = input[i] + params->input_offset;
        const int32_t scaled = tl_requantize(value, params->output_multiplier, params->output_shift);
        output[i] = (int16_t)tl_clamp(tl_wrap_add(scaled, params->output_offset), INT16_MIN, INT16_MAX);
    }
    return TL_OK;
}
