/* SPDX-License-Identifier: MIT
 * QUANTIZE of int32 to int8. */
#include "tl_quantization.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_requantize_s32_s8(const tl_requantize_params *params, const int32_t *input, int8_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; ++i) {
        const int32_t value = tl_wrap_add(input[i], params->input_offset);
        const int32_t scaled = tl_requantize(value, params->output_multiplier, params->output_shift);
        output[i] = (int8_t)tl_clamp(tl_wrap_add(scaled, params->output_offset), INT8_MIN, INT8_MAX);
    }
    return TL_OK;
}
