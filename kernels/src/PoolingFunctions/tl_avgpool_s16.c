/* SPDX-License-Identifier: MIT
 * AVERAGE_POOL_2D of int16, channel by channel; C's division truncates, so half the count is added on the side of the sum's sign. */
#include "tl_int16.h"
#include "tl_walk.h"

TL_INLINE int32_t sum_of(const int16_t *first, int32_t row_step, int32_t column_step, int32_t rows, int32_t columns)
{
    int32_t sum = 0;
    for (int32_t row = 0; row < rows; ++row) {
        const int16_t *in = first + row * row_step;
        for (int32_t column = columns; column > 0; --column, in += column_step) {
            sum += *in;
        }
    }
    return sum;
}

/* Refer header file for details. */
tl_status tl_avgpool_s16(const tl_pool_params_s16 *params,
                         const tl_dims *input_dims,
                         const int16_t *input,
                         const tl_dims *output_dims,
                         int16_t *output)
{
    const int32_t row_step = input_dims->w * input_dims->c;

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, params->filter.h, 1, input_dims->h);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, params->filter.w, 1, input_dims->w);
                const int32_t height = rows.last - rows.first;
                const int32_t width = columns.last - columns.first;
                if (height <= 0 || width <= 0) {
                    return TL_ARGUMENT_ERROR;
                }
                const int16_t *const first =
                    input + (n * input_dims->h + top + rows.first) * row_step + (left + columns.first) * input_dims->c;
                const int32_t count = height * width;
                for (int32_t c = 0; c < input_dims->c; ++c) {
                    const int32_t sum = sum_of(first + c, row_step, input_dims->c, height, width);
                    const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                    *output++ = (int16_t)tl_clamp(mean, params->activation.min, params->activation.max);
                }
            }
        }
    }
    return TL_OK;
}
