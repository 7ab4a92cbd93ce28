/* SPDX-License-Identifier: MIT
 * MAX_POOL_2D, int8. The DSP path compares four channels at a time (SSUB8, SEL). */
#include "tl_pooling_support.h"
#include "tl_support_bytes.h"

#if defined(TL_USE_DSP)
static uint32_t max_four_channels(const tl_window *window, const int8_t *input)
{
    uint32_t max = 0x80808080U; /* four times -128 */
    for (int32_t y = 0; y < window->h; ++y) {
        const int8_t *pixel = input + y * window->row_stride;
        int32_t left = window->w;
        do {
            max = tl_max4_s8(max, tl_load_word(pixel));
            pixel += window->pixel_stride;
        } while (--left > 0);
    }
    return max;
}
#endif

static int32_t max_channel(const tl_window *window, const int8_t *input)
{
    int32_t max = INT8_MIN;
    for (int32_t y = 0; y < window->h; ++y) {
        const int8_t *pixel = input + y * window->row_stride;
        for (int32_t x = 0; x < window->w; ++x) {
            max = tl_max(max, *pixel);
            pixel += window->pixel_stride;
        }
    }
    return max;
}

static void
pool_pixel(const tl_pool_params *params, const tl_window *window, const int8_t *input, int32_t channels, int8_t *output)
{
    const tl_activation *const activation = &params->activation;
#if defined(TL_USE_DSP)
    if (channels >= 4) {
        const uint32_t low = tl_broadcast_byte(activation->min);
        const uint32_t high = tl_broadcast_byte(activation->max);
        for (int32_t c = 0; c < channels; c = tl_next_block(c, 4, channels)) {
            tl_store_word(output + c, tl_min4_s8(tl_max4_s8(max_four_channels(window, input + c), low), high));
        }
        return;
    }
#endif
    for (int32_t c = 0; c < channels; ++c) {
        output[c] = (int8_t)tl_clamp(max_channel(window, input + c), activation->min, activation->max);
    }
}

/* Refer header file for details. */
tl_status tl_max_pool_s8(const tl_pool_params *params,
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
