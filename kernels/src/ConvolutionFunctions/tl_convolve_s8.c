/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. */
#include "tl_columns.h"
#include "tl_convolution.h"

TL_INLINE int32_t row_length(const tl_dims *filter_dims)
{
    return filter_dims->w * filter_dims->c;
}

int32_t tl_convolve_s8_get_buffer_size(const tl_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * tl_column_length(filter_dims->h, row_length(filter_dims));
}

tl_status tl_convolve_s8(const tl_context *ctx,
                         const tl_conv_params *params,
                         const tl_dims *input_dims,
                         const int8_t *input,
                         const tl_dims *filter_dims,
                         const int8_t *filter,
                         const int32_t *constants,
                         const tl_dims *output_dims,
                         int8_t *output)
{
    const tl_window window = {params, input_dims, filter_dims, row_length(filter_dims)};
    tl_convolve_columns(ctx, &window, input, filter, constants, output_dims, output, TL_ORDER_QUADS, NULL);
    return TL_OK;
}
