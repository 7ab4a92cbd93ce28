/* SPDX-License-Identifier: MIT
 * AVERAGE_POOL_2D in float32, channel by channel in the order of the window. */
#include "tl_float_support.h"

/* Refer header file for details. */
tl_status tl_avgpool_f32(const tl_pool_params_f32 *params,
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
                if (rows.last <= rows.first || columns.last <= columns.first) {
                    return TL_ARGUMENT_ERROR;
                }
                const float *const first =
                    input + (n * input_dims->h + top + rows.first) * row_step + (left + columns.first) * input_dims->c;
                const float count = (float)((rows.last - rows.first) * (columns.last - columns.first));
                for (int32_t c = 0; c < input_dims->c; ++c) {
                    float sum = 0.0f;
                    for (int32_t row = 0; row < rows.last - rows.first; ++row) {
                        const float *in = first + row * row_step + c;
                        for (int32_t column = columns.first; column < columns.last; ++column, in += input_dims->c) {
                            sum += *in;
                        }
                    }
                    *output++ = tl_clamp_f32(sum / count, &params->activation);
                }
            }
        }
    }
    return TL_OK;
}
