/* SPDX-License-Identifier: MIT
 * Refer to tl_fully_connected.h. */
#include "tl_fully_connected.h"
#include "tl_fully_connected_block.h"

tl_status tl_fully_connected_s8(const tl_fully_connected_params *params,
                                const tl_dims *input_dims,
                                const int8_t *input,
                                const int8_t *filter,
                                const int32_t *bias,
                                const tl_dims *output_dims,
                                int8_t *output)
{
    const int32_t multiplier = params->multiplier, addend = params->addend, shift = params->shift;
    int8_t *next = output;
    for (int32_t row = 0; row < output_dims->n; row++) {
        const int8_t *weights = filter;
        const int32_t *block_bias = bias;
        int32_t left = output_dims->c;
        while (left > 0) {
            int32_t twice[4];
            weights = tl_fully_connected_block(input, input_dims->c, weights, block_bias, twice);
            block_bias += 4;
            if (left < 4) {
                for (int32_t i = 0; i < left; i++) {
                    *next++ = (int8_t)tl_rescale_s8(twice[i], multiplier, addend, shift);
                }
                break;
            }
            const int32_t value_0 = tl_rescale_s8(twice[0], multiplier, addend, shift);
            const int32_t value_1 = tl_rescale_s8(twice[1], multiplier, addend, shift);
            const int32_t value_2 = tl_rescale_s8(twice[2], multiplier, addend, shift);
            const int32_t value_3 = tl_rescale_s8(twice[3], multiplier, addend, shift);
            next[0] = (int8_t)value_0;
            next[1] = (int8_t)value_1;
            next[2] = (int8_t)value_2;
            next[3] = (int8_t)value_3;
            next += 4;
            left -= 4;
        }
        input += input_dims->c;
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), &params->activation);
    }
    return TL_OK;
}
