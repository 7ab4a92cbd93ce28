/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. */
#include "tl_convolution.h"
#include "tl_columns.h"
#include "tl_support.h"

int32_t tl_convolve_1x1_s8_get_buffer_size(const tl_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * tl_column_length(1, filter_dims->c);
}

/* Input pixels in the order of the output's. */
typedef struct {
    const int8_t *next;
    int32_t left_in_row;
    int32_t row_length;
    int32_t step;     /* bytes to the next pixel of a row */
    int32_t row_step; /* bytes from behind a row's last pixel to the next row's first */
} pixel_walk;

TL_INLINE const int8_t *next_pixel(pixel_walk *walk)
{
    const int8_t *pixel = walk->next;
    walk->next += walk->step;
    if (--walk->left_in_row == 0) {
        walk->left_in_row = walk->row_length;
        walk->next += walk->row_step;
    }
    return pixel;
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
    const int32_t quads = filter_dims->c / 4;
    const int32_t channels = output_dims->c;
    const int32_t length = tl_column_length(1, filter_dims->c);
    const int32_t step = params->stride.w * input_dims->c;
    const int32_t row_step = params->stride.h * input_dims->w * input_dims->c - output_dims->w * step;
    int16_t *columns = (int16_t *)ctx->buf;
    int8_t *next = output;
    /* Filling elements have weight 0, but they have to be something. */
    memset(columns, 0, 2 * sizeof(int16_t) * (size_t)length);
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        pixel_walk walk = {input, output_dims->w, output_dims->w, step, row_step};
        for (int32_t left = output_dims->h * output_dims->w; left > 0; left -= 2) {
            const int8_t *pixel_0 = next_pixel(&walk);
            /* A last single pixel is multiplied twice; its values are stored over each other. */
            const int8_t *pixel_1 = left > 1 ? next_pixel(&walk) : pixel_0;
            int8_t *second = left > 1 ? next + channels : next;
            tl_widen_two_pixels(pixel_0, pixel_1, quads, columns);
            tl_matmul_2_columns_s8(columns, length / 2, filter, constants, channels, next, second);
            next = second + channels;
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), &params->activation);
    }
    return TL_OK;
}
