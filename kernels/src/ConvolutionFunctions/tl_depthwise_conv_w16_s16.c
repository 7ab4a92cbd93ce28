/* SPDX-License-Identifier: MIT
 * DEPTHWISE_CONV_2D of the 16x16 scheme, any multiplier; with multiplier 1 two channels at once. */
#include "tl_int16_w16_support.h"

/* One output value's window; strides in elements. */
typedef struct {
    const int16_t *filter; /* channel 0 of the first tap */
    const tl_requant_s16 *requant;
    int32_t rows;
    int32_t columns;
    int32_t input_row;
    int32_t input_column;
    int32_t filter_row;
    int32_t channels; /* C_OUT: also the filter's column stride */
} window;

/* Output channels c and c + 1, which read neighbouring input channels. */
static void two_channels(const window *w, const int16_t *input, int32_t c, int16_t *output)
{
    int64_t s0 = 0;
    int64_t s1 = 0;
    for (int32_t row = 0; row < w->rows; ++row) {
        const int16_t *x = input + row * w->input_row;
        const int16_t *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            s0 += x[0] * weights[0];
            s1 += x[1] * weights[1];
            x += w->input_column;
            weights += w->channels;
        }
    }
    output[c] = tl_finish_s16(w->requant, s0, c);
    output[c + 1] = tl_finish_s16(w->requant, s1, c + 1);
}

static void one_channel(const window *w, const int16_t *input, int32_t c, int16_t *output)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < w->rows; ++row) {
        const int16_t *x = input + row * w->input_row;
        const int16_t *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            sum += *x * *weights;
            x += w->input_column;
            weights += w->channels;
        }
    }
    output[c] = tl_finish_s16(w->requant, sum, c);
}

/* Refer header file for details. */
tl_status tl_depthwise_conv_w16_s16(const tl_conv_params_s16 *params,
                                    const tl_dims *input_dims,
                                    const int16_t *input,
                                    const tl_dims *filter_dims,
                                    const int16_t *filter,
                                    const tl_dims *output_dims,
                                    int16_t *output)
{
    const int32_t multiplier = output_dims->c / input_dims->c;
    window w;

    w.input_column = params->dilation.w * input_dims->c;
    w.input_row = params->dilation.h * input_dims->w * input_dims->c;
    w.requant = &params->requant;
    w.channels = output_dims->c;
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
                const int16_t *const pixel = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                w.filter = filter + rows.first * w.filter_row + columns.first * w.channels;
                int32_t c = 0;
                for (; multiplier == 1 && c + 2 <= w.channels; c += 2) {
                    two_channels(&w, pixel + c, c, output);
                }
                for (; c < w.channels; ++c) {
                    one_channel(&w, pixel + c / multiplier, c, output);
                }
            }
        }
    }
    return TL_OK;
}
