/* SPDX-License-Identifier: MIT
 * MAX_POOL_2D in float32. */
#include <float.h>

#include "tl_float_support.h"

/* Refer header file for details. */
tl_status tl_max_pool_f32(const tl_pool_params_f32 *params,
                          const tl_dims *input_dims,
                          const float *input,
                          const tl_dims *output_dims,
                          float *output)
{
    const int32_t row_step = input_dims->w * input_dims->c;

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, params->filter.h, 1, input_dims->h);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, params->filter.w, 1, input_dims->w);
                const float *const image = input + n * input_dims->h * row_step;
                for (int32_t c = 0; c < input_dims->c; ++c) {
                    float largest = -FLT_MAX;
                    for (int32_t row = rows.first; row < rows.last; ++row) {
                        for (int32_t column = columns.first; column < columns.last; ++column) {
                            const float value = image[(top + row) * row_step + (left + column) * input_dims->c + c];
                            largest = largest < value ? value : largest;
                        }
                    }
                    *output++ = tl_clamp_f32(largest, &params->activation);
                }
            }
        }
    }
    return TL_OK;
}
