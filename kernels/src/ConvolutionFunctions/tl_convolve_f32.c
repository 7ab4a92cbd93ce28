/* SPDX-License-Identifier: MIT
 * CONV_2D in float32. Filter rows are contiguous in [C_OUT, H, W, C_GROUP] and, without column dilation and groups, so is the input under
 * them: one dot product per filter row. Two neighbouring pixels that meet the same taps share the weights, four output channels the inputs. */
#include "tl_float_support.h"

#define CHANNELS 4

/* One output pixel's window. */
typedef struct {
    const float *input; /* under tap (rows.first, columns.first) */
    tl_taps rows;
    tl_taps columns;
} window;

typedef struct {
    int32_t runs;             /* dot products per filter row */
    int32_t run_length;       /* elements each */
    int32_t run_step;         /* input elements from run to run */
    int32_t row_step;         /* input elements from filter row to filter row */
    int32_t filter_row;       /* filter elements of a row */
    int32_t filter_size;      /* filter elements of an output channel */
    const float *filter;      /* channel 0, tap (rows.first, columns.first) */
    int32_t rows;
} walk;

static walk walk_of(const tl_conv_params_f32 *params, const tl_dims *input, const tl_dims *filter_dims, const float *filter, const window *w)
{
    const int32_t columns = w->columns.last - w->columns.first;
    const int32_t is_contiguous = params->dilation.w == 1 && filter_dims->c == input->c;
    walk result;
    result.runs = is_contiguous ? 1 : columns;
    result.run_length = is_contiguous ? columns * input->c : filter_dims->c;
    result.run_step = params->dilation.w * input->c;
    result.row_step = params->dilation.h * input->w * input->c;
    result.filter_row = filter_dims->w * filter_dims->c;
    result.filter_size = filter_dims->h * result.filter_row;
    result.filter = filter + w->rows.first * result.filter_row + w->columns.first * filter_dims->c;
    result.rows = columns > 0 ? w->rows.last - w->rows.first : 0;
    return result;
}

static void sum_2x4(const walk *w, const float *input_0, const float *input_1, const float *filter, float *sum)
{
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const int32_t offset = row * w->row_step + run * w->run_step;
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            tl_dot_2x4_f32(input_0 + offset, input_1 + offset, weights, w->filter_size, w->run_length, sum);
        }
    }
}

static void sum_1x4(const walk *w, const float *input, const float *filter, float *sum)
{
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            tl_dot_1x4_f32(input + row * w->row_step + run * w->run_step, weights, w->filter_size, w->run_length, sum);
        }
    }
}

static float sum_1x1(const walk *w, const float *input, const float *filter)
{
    float sum = 0.0f;
    for (int32_t row = 0; row < w->rows; ++row) {
        for (int32_t run = 0; run < w->runs; ++run) {
            const float *const weights = filter + row * w->filter_row + run * w->run_length;
            sum = tl_dot_1x1_f32(input + row * w->row_step + run * w->run_step, weights, w->run_length, sum);
        }
    }
    return sum;
}

/* Output channels [first, last), all of one group, of one pixel or of two whose windows meet the same taps; input_1 is NULL for one. */
static void convolve_pixels(const tl_conv_params_f32 *params,
                            const walk *w,
                            const float *input_0,
                            const float *input_1,
                            const float *bias,
                            int32_t first,
                            int32_t last,
                            int32_t channels,
                            float *output)
{
    int32_t c = first;
    for (; c + CHANNELS <= last; c += CHANNELS) {
        float sum[2 * CHANNELS] = {0.0f};
        const float *const filter = w->filter + c * w->filter_size;
        if (input_1 != NULL) {
            sum_2x4(w, input_0, input_1, filter, sum);
        } else {
            sum_1x4(w, input_0, filter, sum);
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
        const float *const filter = w->filter + c * w->filter_size;
        const float offset = bias != NULL ? bias[c] : 0.0f;
        output[c] = tl_clamp_f32(sum_1x1(w, input_0, filter) + offset, &params->activation);
        if (input_1 != NULL) {
            output[channels + c] = tl_clamp_f32(sum_1x1(w, input_1, filter) + offset, &params->activation);
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
    const int32_t groups = input_dims->c / filter_dims->c;
    const int32_t group_channels = output_dims->c / groups;

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            window now;
            now.rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            for (int32_t x = 0; x < output_dims->w;) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps next = tl_taps_inside(left + params->stride.w, filter_dims->w, params->dilation.w, input_dims->w);
                now.columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t pair = x + 1 < output_dims->w && now.columns.first == next.first && now.columns.last == next.last;
                const int32_t in_y = top + now.rows.first * params->dilation.h;
                const int32_t in_x = left + now.columns.first * params->dilation.w;
                now.input = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                const walk w = walk_of(params, input_dims, filter_dims, filter, &now);
                for (int32_t group = 0; group < groups; ++group) {
                    const float *const first = now.input + group * filter_dims->c;
                    const int32_t channel = group * group_channels;
                    convolve_pixels(params, &w, first, pair ? first + pixel_step : NULL, bias, channel, channel + group_channels,
                                    output_dims->c, output);
                }
                output += (pair + 1) * output_dims->c;
                x += pair + 1;
            }
        }
    }
    return TL_OK;
}
