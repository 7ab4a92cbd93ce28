/* SPDX-License-Identifier: MIT
 * A convolution with the ADD that follows it, for residual blocks: output = residual + convolution, in place of the
 * residual. The convolution's own output, as large as the residual, is never in memory. Bit-exact with the two kernels
 * one after the other. */
#ifndef TL_CONVOLUTION_ADD_H
#define TL_CONVOLUTION_ADD_H

#include "tl_basic_math.h"
#include "tl_convolution.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * tl_convolve_s8, then tl_elementwise_add_s8.
 * @param[in]  ctx            scratch of tl_convolve_add_s8_get_buffer_size bytes
 * @param[in]  params         of the convolution; its activation is not applied: [-128, 127]
 * @param[in]  input_dims     [N, H, W, C_IN], C_IN a multiple of 4
 * @param[in]  input
 * @param[in]  filter_dims    [C_OUT, HK, WK, C_IN]
 * @param[in]  filter         packed, see tl_convolution.h
 * @param[in]  constants      packed, see tl_convolution.h
 * @param[in]  add_params     output_shift in [-22, -1]
 * @param[in]  sum_is_narrow  1: the convolution's result is the narrow input of the addition, 0: the residual is
 * @param[in]  values         the residual, [N, H, W, C_OUT] as the output
 * @param[in]  output_dims    [N, H, W, C_OUT]
 * @param[out] output         does not overlap input; may be the residual's buffer
 */
tl_status tl_convolve_add_s8(const tl_context *ctx,
                             const tl_conv_params *params,
                             const tl_dims *input_dims,
                             const int8_t *input,
                             const tl_dims *filter_dims,
                             const int8_t *filter,
                             const int32_t *constants,
                             const tl_add_params *add_params,
                             int32_t sum_is_narrow,
                             const int8_t *values,
                             const tl_dims *output_dims,
                             int8_t *output);

int32_t tl_convolve_add_s8_get_buffer_size(const tl_dims *filter_dims);

#ifdef __cplusplus
}
#endif
#endif
