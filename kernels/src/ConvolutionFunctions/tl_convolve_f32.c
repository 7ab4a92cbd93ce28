/* SPDX-License-Identifier: MIT
 * CONV_2D in float32. Two neighbouring pixels that meet the same taps share the weights, four output channels share the inputs. */
#include "tl_float_support.h"

#define CHANNELS 4

static void sum_2x4(const tl_walk *w, const float *input_0, const float *input_1, const float *filter, float *sum)
{
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const int32_t offset = row * w->input_row + run * w->input_run;
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            tl_dot_2x4_f32(input_0 + offset, input_1 + offset, weights, w->filter_size, w->run_length, sum);
        }
    }
}

static void sum_1x4(const tl_walk *w, const float *input, const float *filter, float *sum)
{
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            tl_dot_1x4_f32(input + row * w->input_row + run * w->input_run, weights, w->filter_size, w->run_length, sum);
        }
    }
}

static float sum_1x1(const tl_walk *w, const float *input, const float *filter)
{
    float sum = 0.0f;
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            sum = tl_dot_1x1_f32(input + row * w->input_row + run * w->input_run, weights, w->run_length, sum);
        }
    }
    return sum;
}

/* Output channels [first, last), all of one group, of one pixel or of two whose windows meet the same taps; input_1 is NULL for one. */
static void convolve_pixels(const tl_conv_params_f32 *params,
                            const tl_walk *w,
                            const float *input_0,
                            const float *input_1,
                            const float *filter,
                            const float *bias,
                            int32_t first,
                            int32_t last,
                            int32_t channels,
                            float *output)
{
    int32_t c = first;
    for (; c + CHANNELS <= last; c += CHANNELS) {
        float sum[2 * CHANNELS] = {0.0f};
        const float *const weights = filter + c * w->filter_size;
        if (input_1 != NULL) {
            sum_2x4(w, input_0, input_1, weights, sum);
        } else {
            sum_1x4(w, input_0, weights, sum);
        }
        for (int32_t k = 0; k < CHANNELS; ++k) {
            const float offset = bias != NULL ? bias[c + k] : 0.0f;
            output[c + k] = tl_clamp_f32(sum[k] + offset, &params->activation);
            if (input_1 != NULL) {
                output[channels + c + k] = tl_clamp_f32(sum[CHANNELS + k] + offset, &params->activation);
            }
        }
    }
    for (; c < last; ++c) {
        const float *const weights = filter + c * w->filter_size;
        const float offset = bias != NULL ? bias[c] : 0.0f;
        output[c] = tl_clamp_f32(sum_1x1(w, input_0, weights) + offset, &params->activation);
        if (input_1 != NULL) {
            output[channels + c] = tl_clamp_f32(sum_1x1(w, input_1, weights) + offset, &params->activation);
        }
    }
}

/* Refer header file for details. */
tl_status tl_convolve_f32(const tl_conv_params_f32 *params,
                          const tl_dims *input_dims,
                          const float *input,
                          const tl_dims *filter_dims,
                          const float *filter,
                          const float *bias,
                          const tl_dims *output_dims,
                          float *output)
{
    const int32_t pixel_step = params->stride.w * input_dims->c;
    const int32_t group_channels = output_dims->c / (input_dims->c / filter_dims->c);

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            for (int32_t x = 0; x < output_dims->w;) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const tl_taps next = tl_taps_inside(left + params->stride.w, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t pair = x + 1 < output_dims->w && columns.first == next.first && columns.last == next.last;
                const int32_t in_x = left + columns.first * params->dilation.w;
                const float *first = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                const tl_walk walk = tl_walk_of(rows, columns, &params->dilation, input_dims, filter_dims);
                const float *const weights = filter + walk.filter_offset;
                for (int32_t c = 0; c < output_dims->c; c += group_channels, first += filter_dims->c) {
                    convolve_pixels(params, &walk, first, pair ? first + pixel_step : NULL, weights, bias, c, c + group_channels,
                                    output_dims->c, output);
                }
                output += (pair + 1) * output_dims->c;
                x += pair + 1;
            }
        }
    }
    return TL_OK;
}
