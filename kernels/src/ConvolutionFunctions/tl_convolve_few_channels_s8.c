/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. */
#include "tl_columns.h"
#include "tl_convolution.h"

int32_t tl_convolve_few_channels_s8_get_buffer_size(const tl_dims *filter_dims)
{
    const int32_t pairs = (filter_dims->h * filter_dims->w * filter_dims->c + 1) / 2;
    return 4 * (int32_t)sizeof(int16_t) * pairs;
}

static void widen_run(const int8_t *source, int32_t count, int16_t *column, int32_t index)
{
    tl_widen_run(source, count, column, index);
}

tl_status tl_convolve_few_channels_s8(const tl_context *ctx,
                                      const tl_conv_params *params,
                                      const tl_dims *input_dims,
                                      const int8_t *input,
                                      const tl_dims *filter_dims,
                                      const int8_t *filter,
                                      const int32_t *constants,
                                      const tl_dims *output_dims,
                                      int8_t *output)
{
    tl_convolve_columns(ctx, params, input_dims, input, filter_dims, filter, constants, output_dims, output, widen_run);
    return TL_OK;
}
