/* SPDX-License-Identifier: MIT
 * MEAN over any axes, int8: TFLite's QuantizedMeanOrSum, with the division by the count folded into the multiplier. */
#include "tl_pooling_support.h"

/* Refer header file for details. */
tl_status tl_mean_s8(const tl_mean_params *params, const int8_t *input, int8_t *output)
{
    const int32_t inner = params->inner;
    const tl_window window = {params->reduced_0, params->reduced_1, params->middle * params->reduced_1 * inner, inner};
    int32_t sums[TL_WINDOW_CHANNELS];

    for (int32_t o = 0; o < params->outer; ++o) {
        for (int32_t m = 0; m < params->middle; ++m) {
            const int8_t *const first = input + m * params->reduced_1 * inner;
            for (int32_t c = 0; c < inner; c = tl_next_block(c, TL_WINDOW_CHANNELS, inner)) {
                const int32_t block = tl_min(TL_WINDOW_CHANNELS, inner - c);
                tl_window_sum_s8(&window, first + c, block, sums);
                for (int32_t i = 0; i < block; ++i) {
                    const int32_t mean =
                        tl_requantize(sums[i] + params->input_offset, params->output_multiplier, params->output_shift);
                    output[c + i] = (int8_t)tl_clamp(tl_wrap_add(mean, params->output_offset), INT8_MIN, INT8_MAX);
                }
            }
            output += inner;
        }
        input += params->reduced_0 * window.row_stride;
    }
    return TL_OK;
}
