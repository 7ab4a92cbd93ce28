/* SPDX-License-Identifier: MIT
 * The body of tl_depthwise_conv_dynamic_s16 and tl_depthwise_conv_dynamic_w16_s16. Each defines before it includes
 * this: TL_WEIGHT  int8_t or int16_t */
#ifndef TL_DYNAMIC_DEPTHWISE_S16_H
#define TL_DYNAMIC_DEPTHWISE_S16_H

#include "tl_dynamic_s16_support.h"
#include "tl_walk.h"

/** The part of a window that lies inside the input; steps in elements. */
typedef struct {
    int32_t rows;
    int32_t columns;
    int32_t input_row;
    int32_t input_column;
    int32_t filter_row;
    int32_t filter_column;
} tl_inside_s16;

#endif

static int64_t sum_of_channel(const tl_inside_s16 *inside, const int16_t *input, const TL_WEIGHT *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < inside->rows; row++) {
        const int16_t *values = input + row * inside->input_row;
        const TL_WEIGHT *weights = filter + row * inside->filter_row;
        for (int32_t column = inside->columns; column > 0; column--) {
            sum += *values * *weights;
            values += inside->input_column;
            weights += inside->filter_column;
        }
    }
    return sum;
}

/* Channels c and c + 1 of a layer with one output channel per input channel. */
static void
sum_two_channels(const tl_inside_s16 *inside, const int16_t *input, const TL_WEIGHT *filter, int64_t sums[2])
{
    const int32_t input_column = inside->input_column, filter_column = inside->filter_column;
    int64_t sum_0 = 0, sum_1 = 0;
    for (int32_t row = 0; row < inside->rows; row++) {
        const int16_t *values = input + row * inside->input_row;
        const TL_WEIGHT *weights = filter + row * inside->filter_row;
        for (int32_t column = inside->columns; column > 0; column--) {
            sum_0 += values[0] * weights[0];
            sum_1 += values[1] * weights[1];
            values += input_column;
            weights += filter_column;
        }
    }
    sums[0] = sum_0;
    sums[1] = sum_1;
}

/* All output channels of one pixel, aligned. */
static void convolve_pixel(const tl_layer_s16 *layer,
                           const tl_inside_s16 *inside,
                           const int16_t *input,
                           const TL_WEIGHT *filter,
                           int32_t multiplier,
                           int32_t channels,
                           int32_t *aligned)
{
    int32_t c = 0;
    for (; multiplier == 1 && c + 2 <= channels; c += 2) {
        int64_t sums[2];
        sum_two_channels(inside, input + c, filter + c, sums);
        aligned[c] = tl_align_s16(layer, sums[0], c);
        aligned[c + 1] = tl_align_s16(layer, sums[1], c + 1);
    }
    for (; c < channels; c++) {
        aligned[c] = tl_align_s16(layer, sum_of_channel(inside, input + c / multiplier, filter + c), c);
    }
}

TL_INLINE tl_status convolve(const tl_context *ctx,
                             const tl_dynamic_window_s16 *window,
                             const tl_dynamic_params_s16 *dynamic,
                             const tl_dims *input_dims,
                             const int16_t *input,
                             const tl_dims *filter_dims,
                             const TL_WEIGHT *filter,
                             const int32_t *constants,
                             const tl_dims *output_dims,
                             int16_t *output,
                             const int32_t *input_scale,
                             int32_t *output_scale)
{
    const tl_layer_s16 layer = tl_dynamic_begin_s16(ctx, dynamic, constants, output_dims, input_scale);
    const int32_t multiplier = output_dims->c / input_dims->c;
    const int32_t input_row = input_dims->w * input_dims->c, filter_row = filter_dims->w * output_dims->c;
    int32_t *next = layer.units.values;
    for (int32_t n = 0; n < output_dims->n; n++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int32_t top = y * window->stride.h - window->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, window->dilation.h, input_dims->h);
            const int32_t in_y = n * input_dims->h + top + rows.first * window->dilation.h;
            for (int32_t x = 0; x < output_dims->w; x++) {
                const int32_t left = x * window->stride.w - window->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, window->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * window->dilation.w;
                const int16_t *pixel = input + in_y * input_row + in_x * input_dims->c;
                const TL_WEIGHT *weights = filter + rows.first * filter_row + columns.first * output_dims->c;
                const tl_inside_s16 inside = {rows.last - rows.first,
                                              columns.last - columns.first,
                                              window->dilation.h * input_row,
                                              window->dilation.w * input_dims->c,
                                              filter_row,
                                              output_dims->c};
                convolve_pixel(&layer, &inside, pixel, weights, multiplier, output_dims->c, next);
                next += output_dims->c;
            }
        }
    }
    tl_dynamic_end_s16(dynamic, layer.units, output, output_scale);
    return TL_OK;
}
