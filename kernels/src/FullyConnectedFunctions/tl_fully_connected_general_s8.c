/* SPDX-License-Identifier: MIT
 * Refer to tl_fully_connected.h. */
#include "tl_fully_connected.h"
#include "tl_support.h"

tl_status tl_fully_connected_general_s8(const tl_fully_connected_general_params *params,
                                        const tl_per_channel_quant *quant,
                                        const tl_dims *input_dims,
                                        const int8_t *input,
                                        const int8_t *filter,
                                        const int32_t *bias,
                                        const tl_dims *output_dims,
                                        int8_t *output)
{
    for (int32_t row = 0; row < output_dims->n; row++) {
        const int8_t *weights = filter;
        for (int32_t unit = 0; unit < output_dims->c; unit++) {
            const int32_t entry = params->per_channel ? unit : 0;
            int32_t sum = bias == NULL ? 0 : bias[unit];
            for (int32_t i = 0; i < input_dims->c; i++) {
                sum = tl_wrap_add(sum, (weights[i] + params->filter_offset) * (input[i] + params->input_offset));
            }
            sum = tl_requantize(sum, quant->multiplier[entry], quant->shift[entry]);
            sum = tl_wrap_add(sum, params->output_offset);
            *output++ = (int8_t)tl_clamp(sum, params->activation.min, params->activation.max);
            weights += input_dims->c;
        }
        input += input_dims->c;
    }
    return TL_OK;
}
