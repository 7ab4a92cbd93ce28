/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution_add.h. */
#include "tl_convolution_add.h"
#include "tl_columns.h"

/* Scratch: the columns, the table, two pixels. */
TL_INLINE int32_t columns_bytes(const tl_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * tl_column_length(filter_dims->h, filter_dims->w * filter_dims->c);
}

int32_t tl_convolve_add_s8_get_buffer_size(const tl_dims *filter_dims)
{
    const int32_t table_bytes = TL_RESIDUAL_TABLE * (int32_t)sizeof(int32_t);
    return columns_bytes(filter_dims) + table_bytes + 2 * filter_dims->n;
}

tl_status tl_convolve_add_s8(const tl_context *ctx,
                             const tl_conv_params *params,
                             const tl_dims *input_dims,
                             const int8_t *input,
                             const tl_dims *filter_dims,
                             const int8_t *filter,
                             const int32_t *constants,
                             const tl_add_params *add_params,
                             int32_t sum_is_narrow,
                             const int8_t *values,
                             const tl_dims *output_dims,
                             int8_t *output)
{
    const tl_window window = {params, input_dims, filter_dims, filter_dims->w * filter_dims->c};
    int32_t *table = (int32_t *)(void *)((int8_t *)ctx->buf + columns_bytes(filter_dims));
    int8_t *pixels = (int8_t *)(table + TL_RESIDUAL_TABLE);
    const tl_residual residual = {add_params, sum_is_narrow, values, output, table, pixels};
    tl_fill_residual_table(&residual);
    tl_convolve_columns(ctx, &window, input, filter, constants, output_dims, output, TL_ORDER_QUADS, &residual);
    return TL_OK;
}
