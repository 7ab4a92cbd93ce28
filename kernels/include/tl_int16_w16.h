/* SPDX-License-Identifier: MIT
 * int16 activations with int16 weights (the 16x16 scheme). TensorFlow Lite has no such kernels: these do what its 16x8 ones do (tl_int16.h), with
 * int16 filters; sums are 64 bits, biases int64 or NULL (bias_32 of tl_requant_s16 is NULL), rescaling is theirs. Layouts: activations NHWC.
 * None needs scratch. */
#ifndef TL_INT16_W16_H
#define TL_INT16_W16_H

#include "tl_int16.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * As tl_convolve_s16.
 * @param[in]  filter  [C_OUT, H, W, C_GROUP], at most 2^16 elements per output channel
 */
tl_status tl_convolve_w16_s16(const tl_conv_params_s16 *params,
                              const tl_dims *input_dims,
                              const int16_t *input,
                              const tl_dims *filter_dims,
                              const int16_t *filter,
                              const tl_dims *output_dims,
                              int16_t *output);

/**
 * As tl_depthwise_conv_s16.
 * @param[in]  filter  [1, H, W, C_OUT], at most 2^16 taps
 */
tl_status tl_depthwise_conv_w16_s16(const tl_conv_params_s16 *params,
                                    const tl_dims *input_dims,
                                    const int16_t *input,
                                    const tl_dims *filter_dims,
                                    const int16_t *filter,
                                    const tl_dims *output_dims,
                                    int16_t *output);

/**
 * As tl_fully_connected_s16.
 * @param[in]  inputs  elements of a row, at most 2^16
 * @param[in]  filter  [units, inputs]
 */
tl_status tl_fully_connected_w16_s16(const tl_requant_s16 *requant,
                                     int32_t batches,
                                     int32_t inputs,
                                     const int16_t *input,
                                     const int16_t *filter,
                                     int32_t units,
                                     int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
