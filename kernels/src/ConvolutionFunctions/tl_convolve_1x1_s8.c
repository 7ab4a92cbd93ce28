/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. */
#include "tl_convolution.h"
#include "tl_columns.h"
#include "tl_support.h"

int32_t tl_convolve_1x1_s8_get_buffer_size(const tl_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * tl_column_length(1, filter_dims->c);
}

tl_status tl_convolve_1x1_s8(const tl_context *ctx,
                             const tl_conv_params *params,
                             const tl_dims *input_dims,
                             const int8_t *input,
                             const tl_dims *filter_dims,
                             const int8_t *filter,
                             const int32_t *constants,
                             const tl_dims *output_dims,
                             int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t row_step = params->stride.h * input_dims->w * input_dims->c;
    const int32_t pixel_step = params->stride.w * input_dims->c;
    const int32_t length = tl_column_length(1, filter_dims->c);
    int16_t *columns = (int16_t *)ctx->buf;
    int8_t *first = NULL; /* where the pixel in column 0 goes, while it waits for a second one */
    int8_t *next = output;
    /* Filling elements have weight 0, but they have to be something. */
    memset(columns, 0, 2 * sizeof(int16_t) * (size_t)length);
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int8_t *pixel = input + y * row_step;
            for (int32_t x = 0; x < output_dims->w; x++) {
                tl_widen_quads(pixel, filter_dims->c / 4, columns + (first == NULL ? 0 : 2));
                pixel += pixel_step;
                if (first == NULL) {
                    first = next;
                } else {
                    tl_matmul_2_columns_s8(columns, length / 2, filter, constants, channels, first, next);
                    first = NULL;
                }
                next += channels;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    if (first != NULL) {
        tl_matmul_2_columns_s8(columns, length / 2, filter, constants, channels, first, first);
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), &params->activation);
    }
    return TL_OK;
}
