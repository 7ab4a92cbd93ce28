/* SPDX-License-Identifier: MIT
 * CONV_2D of the 16x16 scheme, pixel by pixel. */
#include "tl_int16_w16_support.h"

/* Refer header file for details. */
tl_status tl_convolve_w16_s16(const tl_conv_params_s16 *params,
                          const tl_dims *input_dims,
                          const int16_t *input,
                          const tl_dims *filter_dims,
                          const int16_t *filter,
                          const tl_dims *output_dims,
                          int16_t *output)
{
    const int32_t group_channels = output_dims->c / (input_dims->c / filter_dims->c);

    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            for (int32_t x = 0; x < output_dims->w; ++x, output += output_dims->c) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * params->dilation.w;
                const int16_t *first = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                const tl_walk walk = tl_walk_of(rows, columns, &params->dilation, input_dims, filter_dims);
                const int16_t *const weights = filter + walk.filter_offset;
                for (int32_t c = 0; c < output_dims->c; c += group_channels, first += filter_dims->c) {
                    tl_dot_block_w16_s16(&params->requant, &walk, first, weights, c, c + group_channels, output);
                }
            }
        }
    }
    return TL_OK;
}
