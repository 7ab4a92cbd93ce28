/* SPDX-License-Identifier: MIT
 * AVERAGE_POOL_2D, int8. TFLite rounds the quotient half away from zero: the numerator is moved by half the count away
 * from zero and the division truncates. */
#include "tl_pooling_support.h"

TL_INLINE int8_t rounded_mean(int32_t sum, int32_t count, const tl_activation *activation)
{
    const int32_t half = count / 2;
    const int32_t mean = (sum > 0 ? sum + half : sum - half) / count;
    return (int8_t)tl_clamp(mean, activation->min, activation->max);
}

static void
pool_pixel(const tl_pool_params *params, const tl_window *window, const int8_t *input, int32_t channels, int8_t *output)
{
    int32_t sums[TL_WINDOW_CHANNELS];
    const int32_t count = window->h * window->w;

    for (int32_t c = 0; c < channels; c = tl_next_block(c, TL_WINDOW_CHANNELS, channels)) {
        const int32_t block = tl_min(TL_WINDOW_CHANNELS, channels - c);
        tl_window_sum_s8(window, input + c, block, sums);
        for (int32_t i = 0; i < block; ++i) {
            output[c + i] = rounded_mean(sums[i], count, &params->activation);
        }
    }
}

/* Refer header file for details. */
tl_status tl_avgpool_s8(const tl_pool_params *params,
                        const tl_dims *input_dims,
                        const int8_t *input,
                        const tl_dims *output_dims,
                        int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t row_stride = input_dims->w * channels;

    for (int32_t n = 0; n < input_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                const tl_pool_region region = tl_pool_region_of(params, input_dims, y, x);
                const tl_window window = {region.h, region.w, row_stride, channels};
                if (region.h <= 0 || region.w <= 0) {
                    return TL_ARGUMENT_ERROR;
                }
                pool_pixel(params, &window, input + region.y * row_stride + region.x * channels, channels, output);
                output += channels;
            }
        }
        input += input_dims->h * row_stride;
    }
    return TL_OK;
}
