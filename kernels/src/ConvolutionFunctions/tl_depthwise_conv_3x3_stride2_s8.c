/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h, and to tl_depthwise_strip.h for the strip. One output line at a time needs three input
 * lines, of which the third is the first of the next. Columns are taken in twos: the first finishes an output and
 * starts the next one, the second continues it. */
#include "tl_convolution.h"
#include "tl_depthwise_rescale.h"
#include "tl_depthwise_strip.h"
#include "tl_depthwise_sums.h"
#include "tl_support.h"

int32_t tl_depthwise_conv_3x3_stride2_s8_get_buffer_size(const tl_dims *output_dims)
{
    return tl_strip_columns_stride2(output_dims) * TL_STRIP_COLUMN_BYTES;
}

static void convolve_four_channels(const tl_plane *plane,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   int16_t *strip,
                                   int8_t *output)
{
    int32_t *sums = tl_strip_sums(plane, strip);
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines; line++) {
        tl_fill_pair(plane, input, 2 * line + 2 - plane->line_padding, strip + 2);
        for (int32_t c = 0; c < 4; c++) {
            tl_strip_sum_run_stride2(strip + 4 * c, plane->columns, filter + 12 * c, 2, sums);
            tl_rescale_line(sums + 2, plane->run, constants + 4 * c, output + c, plane->output_run_step);
        }
        output += plane->output_line_step;
    }
}

tl_status tl_depthwise_conv_3x3_stride2_s8(const tl_context *ctx,
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
                       tl_strip_columns_stride2(output_dims),
                       convolve_four_channels);
    return TL_OK;
}
