/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. The loop nest of TFLite's reference_integer_ops/conv.h: simple and complete rather than
 * fast. */
#include "tl_convolution.h"
#include "tl_support.h"

/* One output value before rescaling. Taps outside the input count as the real value zero, so they add nothing. */
static int32_t window_sum(const tl_conv_params *params,
                          const tl_dims *input_dims,
                          const int8_t *input,
                          const tl_dims *filter_dims,
                          const int8_t *filter,
                          int32_t top,
                          int32_t left)
{
    uint32_t sum = 0;
    for (int32_t ky = 0; ky < filter_dims->h; ky++) {
        const int32_t y = top + ky * params->dilation.h;
        if (y < 0 || y >= input_dims->h) {
            continue;
        }
        for (int32_t kx = 0; kx < filter_dims->w; kx++) {
            const int32_t x = left + kx * params->dilation.w;
            if (x < 0 || x >= input_dims->w) {
                continue;
            }
            const int8_t *taps = filter + (ky * filter_dims->w + kx) * filter_dims->c;
            const int8_t *values = input + (y * input_dims->w + x) * input_dims->c;
            for (int32_t c = 0; c < filter_dims->c; c++) {
                sum += (uint32_t)(taps[c] * (values[c] + params->input_offset));
            }
        }
    }
    return (int32_t)sum;
}

tl_status tl_convolve_general_s8(const tl_conv_params *params,
                                 const tl_per_channel_quant *quant,
                                 const tl_dims *input_dims,
                                 const int8_t *input,
                                 const tl_dims *filter_dims,
                                 const int8_t *filter,
                                 const int32_t *bias,
                                 const tl_dims *output_dims,
                                 int8_t *output)
{
    const int32_t groups = input_dims->c / filter_dims->c;
    if (groups * filter_dims->c != input_dims->c || output_dims->c % groups != 0) {
        return TL_ARGUMENT_ERROR;
    }
    const int32_t channels_per_group = output_dims->c / groups;
    const int32_t filter_size = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const int32_t top = (pixel / output_dims->w) * params->stride.h - params->padding.h;
            const int32_t left = (pixel % output_dims->w) * params->stride.w - params->padding.w;
            for (int32_t c = 0; c < output_dims->c; c++) {
                const int8_t *group_input = input + (c / channels_per_group) * filter_dims->c;
                int32_t sum =
                    window_sum(params, input_dims, group_input, filter_dims, filter + c * filter_size, top, left);
                sum = tl_wrap_add(sum, bias == NULL ? 0 : bias[c]);
                sum = tl_requantize(sum, quant->multiplier[c], quant->shift[c]);
                sum = tl_wrap_add(sum, params->output_offset);
                *output++ = (int8_t)tl_clamp(sum, params->activation.min, params->activation.max);
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    return TL_OK;
}
