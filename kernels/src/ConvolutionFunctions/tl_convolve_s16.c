/* SPDX-License-Identifier: MIT
 * CONV_2D of the 16x8 scheme: four output channels share the inputs of a run. */
#include "tl_int16_support.h"

static void sum_4(const tl_walk *walk, const int16_t *input, const int8_t *filter, int64_t *sum)
{
    for (int32_t row = 0; row < walk->rows; ++row) {
        for (int32_t run = 0; run < walk->runs; ++run) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            const int8_t *const weights = filter + row * walk->filter_row + run * walk->run_length;
            tl_dot_4_s16(x, weights, walk->filter_size, walk->run_length, sum);
        }
    }
}

static int64_t sum_1(const tl_walk *walk, const int16_t *input, const int8_t *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < walk->rows; ++row) {
        for (int32_t run = 0; run < walk->runs; ++run) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            sum += tl_dot_1_s16(x, filter + row * walk->filter_row + run * walk->run_length, walk->run_length);
        }
    }
    return sum;
}

/* Output channels [first, last) of one pixel, all of one group. */
static void convolve_pixel(const tl_requant_s16 *requant,
                           const tl_walk *walk,
                           const int16_t *input,
                           const int8_t *filter,
                           int32_t first,
                           int32_t last,
                           int16_t *output)
{
    int32_t c = first;
    for (; c + TL_CHANNELS_S16 <= last; c += TL_CHANNELS_S16) {
        int64_t sum[TL_CHANNELS_S16] = {0};
        sum_4(walk, input, filter + c * walk->filter_size, sum);
        for (int32_t k = 0; k < TL_CHANNELS_S16; ++k) {
            output[c + k] = tl_finish_s16(requant, sum[k], c + k);
        }
    }
    for (; c < last; ++c) {
        output[c] = tl_finish_s16(requant, sum_1(walk, input, filter + c * walk->filter_size), c);
    }
}

/* Refer header file for details. */
tl_status tl_convolve_s16(const tl_conv_params_s16 *params,
                          const tl_dims *input_dims,
                          const int16_t *input,
                          const tl_dims *filter_dims,
                          const int8_t *filter,
                          const tl_dims *output_dims,
                          int16_t *output)
{
    const int32_t group_channels = output_dims->c / (input_dims->c / filter_dims->c);

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            for (int32_t x = 0; x < output_dims->w; ++x, output += output_dims->c) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * params->dilation.w;
                const int16_t *first = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                const tl_walk walk = tl_walk_of(rows, columns, &params->dilation, input_dims, filter_dims);
                const int8_t *const weights = filter + walk.filter_offset;
                for (int32_t c = 0; c < output_dims->c; c += group_channels, first += filter_dims->c) {
                    convolve_pixel(&params->requant, &walk, first, weights, c, c + group_channels, output);
                }
            }
        }
    }
    return TL_OK;
}
