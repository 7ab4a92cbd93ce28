/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h, and to tl_depthwise_strip.h for the strip. Two output lines at a time need four input
 * lines. Walking along the strip, each column finishes one pair of outputs, continues the next and starts the one
 * after. */
#include "tl_convolution.h"
#include "tl_depthwise_rescale.h"
#include "tl_depthwise_strip.h"
#include "tl_depthwise_sums.h"
#include "tl_support.h"

int32_t tl_depthwise_conv_3x3_s8_get_buffer_size(const tl_dims *output_dims)
{
    return tl_strip_columns(output_dims) * TL_STRIP_COLUMN_BYTES;
}

/* A function of its own: either loop takes all registers. */
static TL_NOINLINE void sum_line(const int16_t *strip, int32_t columns, const int8_t *weights, int32_t *sums)
{
    tl_strip_sum_line(strip, columns, weights, sums);
}

static void convolve_four_channels(const tl_plane *plane,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   int16_t *strip,
                                   int8_t *output)
{
    int32_t *sums = tl_strip_sums(plane, strip);
    const int32_t step = plane->output_run_step;
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines; line += 2) {
        tl_fill_pair(plane, input, line + 2 - plane->line_padding, strip + 2);
        for (int32_t c = 0; c < 4; c++) {
            int8_t *line_0 = output + c;
            if (line + 1 < plane->lines) {
                int8_t *line_1 = line_0 + plane->output_line_step;
                tl_strip_sum_run(strip + 4 * c, plane->columns, filter + 12 * c, sums);
                tl_rescale_two_lines(sums + 4, plane->run, constants + 4 * c, line_0, line_1, step);
            } else {
                sum_line(strip + 4 * c, plane->columns, filter + 12 * c, sums);
                tl_rescale_line(sums + 4, plane->run, constants + 4 * c, line_0, step);
            }
        }
        output += 2 * plane->output_line_step;
    }
}

tl_status tl_depthwise_conv_3x3_s8(const tl_context *ctx,
                                   const tl_depthwise_params *params,
                                   const tl_dims *input_dims,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   const tl_dims *output_dims,
                                   int8_t *output)
{
    tl_depthwise_strip(ctx,
                       params,
                       input_dims,
                       input,
                       filter,
                       constants,
                       output_dims,
                       output,
                       tl_strip_columns(output_dims),
                       convolve_four_channels);
    return TL_OK;
}
