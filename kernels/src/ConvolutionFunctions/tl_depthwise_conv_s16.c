/* SPDX-License-Identifier: MIT
 * DEPTHWISE_CONV_2D of the 16x8 scheme, any multiplier. Four output channels at once: with multiplier 1 they read four neighbouring input
 * channels, otherwise the outputs of one input channel share its value. */
#include "tl_int16_support.h"

/* One output pixel's window; strides in elements. */
typedef struct {
    const int16_t *input; /* channel 0 under the first tap */
    const int8_t *filter; /* channel 0 of the first tap */
    const tl_requant_s16 *requant;
    int32_t rows;
    int32_t columns;
    int32_t input_row;
    int32_t input_column;
    int32_t filter_row;
    int32_t channels; /* C_OUT: also the filter's column stride */
} window;

/* Output channels [c, c + 4); their inputs are `step` (0 or 1) apart. The window holds at most TL_SAFE_PRODUCTS_S16 taps. */
TL_INLINE void four_channels(const window *w, int32_t input_channel, int32_t step, int32_t c, int16_t *output)
{
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;
    for (int32_t row = 0; row < w->rows; ++row) {
        const int16_t *in = w->input + row * w->input_row + input_channel;
        const int8_t *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            s0 += in[0] * weights[0];
            s1 += in[step] * weights[1];
            s2 += in[2 * step] * weights[2];
            s3 += in[3 * step] * weights[3];
            in += w->input_column;
            weights += w->channels;
        }
    }
    output[c] = tl_finish_s16(w->requant, s0, c);
    output[c + 1] = tl_finish_s16(w->requant, s1, c + 1);
    output[c + 2] = tl_finish_s16(w->requant, s2, c + 2);
    output[c + 3] = tl_finish_s16(w->requant, s3, c + 3);
}

static void one_channel(const window *w, int32_t input_channel, int32_t c, int16_t *output)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < w->rows; ++row) {
        const int16_t *in = w->input + row * w->input_row + input_channel;
        const int8_t *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            sum += *in * *weights;
            in += w->input_column;
            weights += w->channels;
        }
    }
    output[c] = tl_finish_s16(w->requant, sum, c);
}

static void pixel_multiplier_1(const window *w, int16_t *output)
{
    const int32_t is_small = w->rows * w->columns <= TL_SAFE_PRODUCTS_S16;
    int32_t c = 0;
    for (; is_small && c + TL_CHANNELS_S16 <= w->channels; c += TL_CHANNELS_S16) {
        four_channels(w, c, 1, c, output);
    }
    for (; c < w->channels; ++c) {
        one_channel(w, c, c, output);
    }
}

static void pixel_any_multiplier(const window *w, int32_t multiplier, int16_t *output)
{
    const int32_t is_small = w->rows * w->columns <= TL_SAFE_PRODUCTS_S16;
    int32_t input_channel = 0;
    for (int32_t first = 0; first < w->channels; first += multiplier, ++input_channel) {
        const int32_t end = first + multiplier;
        int32_t c = first;
        for (; is_small && c + TL_CHANNELS_S16 <= end; c += TL_CHANNELS_S16) {
            four_channels(w, input_channel, 0, c, output);
        }
        for (; c < end; ++c) {
            one_channel(w, input_channel, c, output);
        }
    }
}

/* Refer header file for details. */
tl_status tl_depthwise_conv_s16(const tl_conv_params_s16 *params,
                                const tl_dims *input_dims,
                                const int16_t *input,
                                const tl_dims *filter_dims,
                                const int8_t *filter,
                                const tl_dims *output_dims,
                                int16_t *output)
{
    const int32_t multiplier = output_dims->c / input_dims->c;
    window w;

    w.requant = &params->requant;
    w.channels = output_dims->c;
    w.input_column = params->dilation.w * input_dims->c;
    w.input_row = params->dilation.h * input_dims->w * input_dims->c;
    w.filter_row = filter_dims->w * output_dims->c;
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            w.rows = rows.last - rows.first;
            for (int32_t x = 0; x < output_dims->w; ++x, output += output_dims->c) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * params->dilation.w;
                w.columns = columns.last - columns.first;
                w.input = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                w.filter = filter + rows.first * w.filter_row + columns.first * output_dims->c;
                if (multiplier == 1) {
                    pixel_multiplier_1(&w, output);
                } else {
                    pixel_any_multiplier(&w, multiplier, output);
                }
            }
        }
    }
    return TL_OK;
}
