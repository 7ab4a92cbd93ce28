/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16.h and tl_dynamic_depthwise_s16.h. */
#define TL_WEIGHT int16_t
#include "tl_dynamic_depthwise_s16.h"

tl_status tl_depthwise_conv_dynamic_w16_s16(const tl_context *ctx,
                                            const tl_dynamic_window_s16 *window,
                                            const tl_dynamic_params_s16 *dynamic,
                                            const tl_dims *input_dims,
                                            const int16_t *input,
                                            const tl_dims *filter_dims,
                                            const int16_t *filter,
                                            const int32_t *constants,
                                            const tl_dims *output_dims,
                                            int16_t *output,
                                            const int32_t *input_scale,
                                            int32_t *output_scale)
{
    return convolve(ctx,
                    window,
                    dynamic,
                    input_dims,
                    input,
                    filter_dims,
                    filter,
                    constants,
                    output_dims,
                    output,
                    input_scale,
                    output_scale);
}
