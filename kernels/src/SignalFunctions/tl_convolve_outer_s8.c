/* SPDX-License-Identifier: MIT
 * Refer to tl_motion.h. */
#include <string.h>

#include "tl_columns.h"
#include "tl_motion.h"
#include "tl_support.h"

/* The columns of the convolution come first in the scratch, the rows of the product behind them. */
int32_t tl_convolve_outer_s8_get_buffer_size(const tl_dims *input_dims, const tl_dims *filter_dims)
{
    return tl_convolve_few_channels_s8_get_buffer_size(filter_dims) + filter_dims->h * input_dims->w * input_dims->c;
}

/* Row y of the product; outside of it the product's zero point, which is what padding means. */
static void make_row(const tl_mul_params *params,
                     const int8_t *column,
                     const int8_t *row,
                     const tl_dims *dims,
                     int32_t y,
                     int32_t outside,
                     int8_t *output)
{
    const int32_t length = dims->w * dims->c;
    if (y < 0 || y >= dims->h) {
        memset(output, outside, (size_t)length);
        return;
    }
    for (int32_t c = 0; c < dims->c; ++c) {
        const int32_t factor = column[y * dims->c + c] + params->input_1_offset;
        for (int32_t i = c; i < length; i += dims->c) {
            const int32_t product = factor * (row[i] + params->input_2_offset);
            const int32_t scaled = tl_requantize(product, params->output_multiplier, params->output_shift);
            output[i] = (int8_t)tl_clamp(tl_wrap_add(scaled, params->output_offset),
                                         params->activation.min,
                                         params->activation.max);
        }
    }
}

tl_status tl_convolve_outer_s8(const tl_context *ctx,
                               const tl_mul_params *mul_params,
                               const int8_t *column,
                               const int8_t *row,
                               const tl_conv_params *params,
                               const tl_dims *input_dims,
                               const tl_dims *filter_dims,
                               const int8_t *filter,
                               const int32_t *constants,
                               const tl_dims *output_dims,
                               int8_t *output)
{
    const tl_conv_params row_params = {params->stride,
                                       {0, params->padding.w},
                                       params->dilation,
                                       params->input_offset,
                                       params->output_offset,
                                       params->activation};
    const tl_dims strip = {1, filter_dims->h, input_dims->w, input_dims->c};
    const tl_dims output_row = {1, 1, output_dims->w, output_dims->c};
    const int32_t row_bytes = input_dims->w * input_dims->c;
    int8_t *rows = (int8_t *)ctx->buf + tl_convolve_few_channels_s8_get_buffer_size(filter_dims);
    int32_t made = -params->padding.h;
    for (int32_t y = 0; y < output_dims->h; ++y) {
        const int32_t first = y * params->stride.h - params->padding.h;
        const int32_t kept = tl_max(0, made - first);
        memmove(rows, rows + (filter_dims->h - kept) * row_bytes, (size_t)(kept * row_bytes));
        for (int32_t k = kept; k < filter_dims->h; ++k) {
            make_row(mul_params, column, row, input_dims, first + k, -params->input_offset, rows + k * row_bytes);
        }
        made = first + filter_dims->h;
        tl_convolve_few_channels_s8(ctx, &row_params, &strip, rows, filter_dims, filter, constants, &output_row,
                                    output + y * output_dims->w * output_dims->c);
    }
    return TL_OK;
}
