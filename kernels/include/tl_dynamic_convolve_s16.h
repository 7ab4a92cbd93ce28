/* SPDX-License-Identifier: MIT
 * The body of tl_convolve_dynamic_s16 and tl_convolve_dynamic_w16_s16. Each defines before it includes this:
 *   TL_WEIGHT                                 int8_t or int16_t
 *   TL_CHANNELS                               output channels that share the loads of values
 *   TL_DOTS(x, weights, stride, count, sums)  adds to sums[c] the products of x with `weights + c * stride`, c <
 * TL_CHANNELS TL_DOT(x, weights, count)                 int64_t: those of one channel */
#ifndef TL_DYNAMIC_CONVOLVE_S16_H
#define TL_DYNAMIC_CONVOLVE_S16_H

#include "tl_dynamic_s16_support.h"
#include "tl_walk.h"

#endif

static void sum_channels(const tl_walk *walk, const int16_t *input, const TL_WEIGHT *filter, int64_t sums[TL_CHANNELS])
{
    for (int32_t row = 0; row < walk->rows; row++) {
        for (int32_t run = 0; run < walk->runs; run++) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            const TL_WEIGHT *const weights = filter + row * walk->filter_row + run * walk->run_length;
            TL_DOTS(x, weights, walk->filter_size, walk->run_length, sums);
        }
    }
}

static int64_t sum_channel(const tl_walk *walk, const int16_t *input, const TL_WEIGHT *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < walk->rows; row++) {
        for (int32_t run = 0; run < walk->runs; run++) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            sum += TL_DOT(x, filter + row * walk->filter_row + run * walk->run_length, walk->run_length);
        }
    }
    return sum;
}

/* All output channels of one pixel, aligned. */
static void convolve_pixel(const tl_layer_s16 *layer,
                           const tl_walk *walk,
                           const int16_t *input,
                           const TL_WEIGHT *filter,
                           int32_t channels,
                           int32_t *aligned)
{
    int32_t c = 0;
    for (; c + TL_CHANNELS <= channels; c += TL_CHANNELS) {
        int64_t sums[TL_CHANNELS] = {0};
        sum_channels(walk, input, filter + c * walk->filter_size, sums);
        for (int32_t k = 0; k < TL_CHANNELS; k++) {
            aligned[c + k] = tl_align_s16(layer, sums[k], c + k);
        }
    }
    for (; c < channels; c++) {
        aligned[c] = tl_align_s16(layer, sum_channel(walk, input, filter + c * walk->filter_size), c);
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
    int32_t *next = layer.units.values;
    for (int32_t n = 0; n < output_dims->n; n++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int32_t top = y * window->stride.h - window->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, window->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * window->dilation.h;
            for (int32_t x = 0; x < output_dims->w; x++) {
                const int32_t left = x * window->stride.w - window->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, window->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * window->dilation.w;
                const int16_t *first = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                const tl_walk walk = tl_walk_of(rows, columns, &window->dilation, input_dims, filter_dims);
                convolve_pixel(&layer, &walk, first, filter + walk.filter_offset, output_dims->c, next);
                next += output_dims->c;
            }
        }
    }
    tl_dynamic_end_s16(dynamic, layer.units, output, output_scale);
    return TL_OK;
}
