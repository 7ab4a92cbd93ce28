/* SPDX-License-Identifier: MIT
 * CONV_2D in float32: neighbouring pixels that meet the same taps go in fours or pairs, so that they share the weights. */
#include "tl_float_support.h"

/* Every output pixel reads the input pixel at its place: an image is one row. */
static int32_t is_pointwise(const tl_conv_params_f32 *params, const tl_dims *filter)
{
    return filter->h == 1 && filter->w == 1 && params->stride.h == 1 && params->stride.w == 1 && params->padding.h == 0 &&
           params->padding.w == 0;
}

/* How many pixels from this one on (4, 2 or 1, at most `left_over`) meet the same taps. Both ends of the taps move one way along a row, so
 * two pixels that agree have only such between them. */
static int32_t pixels_alike(const tl_conv_params_f32 *params,
                            const tl_dims *input,
                            const tl_dims *filter,
                            tl_taps columns,
                            int32_t left,
                            int32_t left_over)
{
    for (int32_t count = TL_BLOCK_INPUTS_F32; count > 1; count /= 2) {
        const int32_t origin = left + (count - 1) * params->stride.w;
        const tl_taps other = tl_taps_inside(origin, filter->w, params->dilation.w, input->w);
        if (count <= left_over && columns.first == other.first && columns.last == other.last) {
            return count;
        }
    }
    return 1;
}

/* Refer header file for details. */
tl_status tl_convolve_f32(const tl_conv_params_f32 *params,
                          const tl_dims *input_dims,
                          const float *input,
                          const tl_dims *filter_dims,
                          const float *filter,
                          const float *bias,
                          const tl_dims *output_dims,
                          float *output)
{
    tl_block_f32 block = {NULL, 1, params->stride.w * input_dims->c, output_dims->c, 0, 0};
    const int32_t group_channels = output_dims->c / (input_dims->c / filter_dims->c);

    if (is_pointwise(params, filter_dims) && output_dims->h > 1) {
        const tl_dims flat_input = {input_dims->n, 1, input_dims->h * input_dims->w, input_dims->c};
        const tl_dims flat_output = {output_dims->n, 1, output_dims->h * output_dims->w, output_dims->c};
        return tl_convolve_f32(params, &flat_input, input, filter_dims, filter, bias, &flat_output, output);
    }
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            for (int32_t x = 0; x < output_dims->w; x += block.inputs) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * params->dilation.w;
                const tl_walk walk = tl_walk_of(rows, columns, &params->dilation, input_dims, filter_dims);
                const float *const weights = filter + walk.filter_offset;
                block.input = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                block.inputs = pixels_alike(params, input_dims, filter_dims, columns, left, output_dims->w - x);
                for (block.first = 0; block.first < output_dims->c; block.first = block.last) {
                    block.last = block.first + group_channels;
                    tl_dot_block_f32(&params->activation, &walk, &block, weights, bias, output);
                    block.input += filter_dims->c;
                }
                output += block.inputs * output_dims->c;
            }
        }
    }
    return TL_OK;
}
