/* SPDX-License-Identifier: MIT
 * MAX_POOL_2D of int16. */
#include "tl_int16.h"
#include "tl_walk.h"

/* Refer header file for details. */
tl_status tl_max_pool_s16(const tl_pool_params_s16 *params,
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
                const int16_t *const image = input + n * input_dims->h * row_step;
                for (int32_t c = 0; c < input_dims->c; ++c) {
                    int32_t largest = INT16_MIN;
                    for (int32_t row = rows.first; row < rows.last; ++row) {
                        for (int32_t column = columns.first; column < columns.last; ++column) {
                            largest = tl_max(largest, image[(top + row) * row_step + (left + column) * input_dims->c + c]);
                        }
                    }
                    *output++ = (int16_t)tl_clamp(largest, params->activation.min, params->activation.max);
                }
            }
        }
    }
    return TL_OK;
}
