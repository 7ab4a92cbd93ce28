/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. The loop nest of TFLite's reference_integer_ops/depthwise_conv.h: simple and complete
 * rather than fast. */
#include "tl_convolution.h"
#include "tl_support.h"

/* One output value before rescaling; input and filter point at the channel. Taps outside the input add nothing. */
static int32_t window_sum(const tl_depthwise_params *params,
                          const tl_dims *input_dims,
                          const int8_t *input,
                          const tl_dims *filter_dims,
                          const int8_t *filter,
                          int32_t top,
                          int32_t left)
{
    int32_t sum = 0;
    for (int32_t ky = 0; ky < filter_dims->h; ky++) {
        const int32_t y = top + ky * params->dilation.h;
        if (y < 0 || y >= input_dims->h) {
            continue;
        }
        for (int32_t kx = 0; kx < filter_dims->w; kx++) {
            const int32_t x = left + kx * params->dilation.w;
            if (x >= 0 && x < input_dims->w) {
                const int32_t value = input[(y * input_dims->w + x) * input_dims->c] + params->input_offset;
                sum = tl_wrap_add(sum, value * filter[(ky * filter_dims->w + kx) * filter_dims->c]);
            }
        }
    }
    return sum;
}

tl_status tl_depthwise_conv_general_s8(const tl_depthwise_params *params,
                                       const tl_per_channel_quant *quant,
                                       const tl_dims *input_dims,
                                       const int8_t *input,
                                       const tl_dims *filter_dims,
                                       const int8_t *filter,
                                       const int32_t *bias,
                                       const tl_dims *output_dims,
                                       int8_t *output)
{
    if (input_dims->c * params->multiplier != output_dims->c) {
        return TL_ARGUMENT_ERROR;
    }
    const int32_t pixels = output_dims->h * output_dims->w;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const int32_t top = (pixel / output_dims->w) * params->stride.h - params->padding.h;
            const int32_t left = (pixel % output_dims->w) * params->stride.w - params->padding.w;
            for (int32_t c = 0; c < output_dims->c; c++) {
                int32_t sum =
                    window_sum(params, input_dims, input + c / params->multiplier, filter_dims, filter + c, top, left);
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
