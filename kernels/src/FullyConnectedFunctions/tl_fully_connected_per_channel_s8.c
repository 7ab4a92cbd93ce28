/* SPDX-License-Identifier: MIT
 * Refer to tl_fully_connected.h. */
#include "tl_fully_connected.h"
#include "tl_fully_connected_block.h"

tl_status tl_fully_connected_per_channel_s8(const tl_activation *activation,
                                            const tl_dims *input_dims,
                                            const int8_t *input,
                                            const int8_t *filter,
                                            const int32_t *constants,
                                            const tl_dims *output_dims,
                                            int8_t *output)
{
    int8_t *next = output;
    for (int32_t row = 0; row < output_dims->n; row++) {
        const int8_t *weights = filter;
        const int32_t *block_constants = constants;
        for (int32_t left = output_dims->c; left > 0; left -= 4) {
            int32_t twice[4];
            weights = tl_fully_connected_block(input, input_dims->c, weights, block_constants, twice);
            const int32_t *rescaling = block_constants + 4;
            for (int32_t i = 0; i < tl_min(left, 4); i++) {
                *next++ = (int8_t)tl_rescale_s8(twice[i], rescaling[0], rescaling[1], rescaling[2]);
                rescaling += 3;
            }
            block_constants += 16;
        }
        input += input_dims->c;
    }
    if (activation->min > -128 || activation->max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), activation);
    }
    return TL_OK;
}
