/* SPDX-License-Identifier: MIT
 * int8 kernels in dynamic fixed point: every tensor has a scale that is found at run time from the layer's real output
 * range. docs/dynamic-quantization.md says how; firmware-gen/reference/dynamic.ts gives the same bits.
 *
 * A scale is int32[3], {multiplier, shift, zero point}: real = multiplier * 2^(shift - 31) * (q - zero point),
 * multiplier in [2^30, 2^31). In the Q scheme multiplier is 2^30 and zero point 0, so the shift is all there is.
 *
 * Weighted layers. Weights are packed as in tl_convolution.h, biases are not: constants are 12 int32 per block of 4
 * channels, {bias x 4, sum of weights x 4, multiplier x 4}. A bias counts in steps of weight scale * 2^-bias_exponent
 * and is brought to accumulator steps once the input's scale is known. multiplier = 2^30 * weight scale / largest
 * weight scale aligns a channel: aligned = round(256 * sum * multiplier / 2^32), in units of input scale * largest
 * weight scale /
 * 64. |sum| < 2^23, so |aligned| <= 2^29. The finest scale of the input (`least` of the layer before) proves it.
 *
 * Forms. Full: all aligned sums of the layer are kept in scratch, then requantized. Recompute: sums are computed twice,
 * first for their range; no scratch for them, output does not overlap input. Running: a few outputs at a time are
 * written with the range known so far; when one exceeds it, the range grows, what was written is realigned, and they
 * are written again. With a state the running range starts from the previous inference's. */
#ifndef TL_DYNAMIC_H
#define TL_DYNAMIC_H

#include "tl_dynamic_range.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Convolution with any window. Columns are in the order 0, 2, 1, 3 of every four elements if C_IN is a multiple of 4,
 * else in natural order with rows filled up to even length, as for tl_convolve_s8 and tl_convolve_few_channels_s8.
 * @param[in]  ctx           scratch of tl_convolve_dynamic_s8_get_buffer_size bytes
 * @param[in]  params        input_offset, output_offset and activation are not read
 * @param[in]  dynamic
 * @param[in]  matmul        int32 results for the full form, int8 for the others
 * @param[in]  input_dims    [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims   [C_OUT, HK, WK, C_IN]
 * @param[in]  filter        packed
 * @param[in]  constants     see above
 * @param[in]  output_dims   [N, H, W, C_OUT]
 * @param[out] output        full form: may start where input starts; running form and a 1x1 window without padding and
 * C_OUT <= C_IN: the same; else does not overlap input
 * @param[in]  input_scale
 * @param[out] output_scale
 * @param[in]  state         in and out, or NULL
 */
tl_status tl_convolve_dynamic_s8(const tl_context *ctx,
                                 const tl_conv_params *params,
                                 const tl_dynamic_params *dynamic,
                                 tl_dynamic_matmul matmul,
                                 const tl_dims *input_dims,
                                 const int8_t *input,
                                 const tl_dims *filter_dims,
                                 const int8_t *filter,
                                 const int32_t *constants,
                                 const tl_dims *output_dims,
                                 int8_t *output,
                                 const int32_t *input_scale,
                                 int32_t *output_scale,
                                 int32_t *state);

int32_t
tl_convolve_dynamic_s8_get_buffer_size(tl_dynamic_form form, const tl_dims *filter_dims, const tl_dims *output_dims);

/**
 * 3x3 depthwise convolution, stride 1 or 2 both ways, one output channel per input channel, channels a multiple of 4.
 * @param[in]  filter     as for tl_depthwise_conv_3x3_s8
 * For the recompute and the running form.
 * @param[in]  lines      inner loop
 * @param[out] output     running form with stride 1 and equal extents: may start where input starts
 */
tl_status tl_depthwise_conv_3x3_dynamic_s8(const tl_context *ctx,
                                           const tl_depthwise_params *params,
                                           const tl_dynamic_params *dynamic,
                                           tl_dynamic_lines lines,
                                           const tl_dims *input_dims,
                                           const int8_t *input,
                                           const int8_t *filter,
                                           const int32_t *constants,
                                           const tl_dims *output_dims,
                                           int8_t *output,
                                           const int32_t *input_scale,
                                           int32_t *output_scale,
                                           int32_t *state);

int32_t
tl_depthwise_conv_3x3_dynamic_s8_get_buffer_size(tl_dynamic_form form, int32_t stride, const tl_dims *output_dims);

/** The same in the full form. @param[out] output may start where input starts */
tl_status tl_depthwise_conv_3x3_full_dynamic_s8(const tl_context *ctx,
                                                const tl_depthwise_params *params,
                                                const tl_dynamic_params *dynamic,
                                                const tl_dims *input_dims,
                                                const int8_t *input,
                                                const int8_t *filter,
                                                const int32_t *constants,
                                                const tl_dims *output_dims,
                                                int8_t *output,
                                                const int32_t *input_scale,
                                                int32_t *output_scale,
                                                int32_t *state);

int32_t tl_depthwise_conv_3x3_full_dynamic_s8_get_buffer_size(int32_t stride, const tl_dims *output_dims);

/**
 * Any depthwise convolution.
 * @param[in]  filter     multiplier 1 and C_OUT a multiple of 4: as for tl_depthwise_conv_s8; else [1, HK, WK, C_OUT]
 * as in the model
 * @param[out] output     full form: may start where input starts; else does not overlap input
 */
tl_status tl_depthwise_conv_dynamic_s8(const tl_context *ctx,
                                       const tl_depthwise_params *params,
                                       const tl_dynamic_params *dynamic,
                                       const tl_dims *input_dims,
                                       const int8_t *input,
                                       const tl_dims *filter_dims,
                                       const int8_t *filter,
                                       const int32_t *constants,
                                       const tl_dims *output_dims,
                                       int8_t *output,
                                       const int32_t *input_scale,
                                       int32_t *output_scale,
                                       int32_t *state);

int32_t
tl_depthwise_conv_dynamic_s8_get_buffer_size(tl_dynamic_form form, int32_t is_asymmetric, const tl_dims *output_dims);

/**
 * Fully connected layer, always in the full form.
 * @param[in]  ctx     scratch of 4 bytes per output and per channel of whole blocks
 * @param[in]  filter  packed as for tl_fully_connected_s8
 */
tl_status tl_fully_connected_dynamic_s8(const tl_context *ctx,
                                        const tl_dynamic_params *dynamic,
                                        const tl_dims *input_dims,
                                        const int8_t *input,
                                        const int8_t *filter,
                                        const int32_t *constants,
                                        const tl_dims *output_dims,
                                        int8_t *output,
                                        const int32_t *input_scale,
                                        int32_t *output_scale);

int32_t tl_fully_connected_dynamic_s8_get_buffer_size(const tl_dims *output_dims);

/** input_1 + input_2, equal shapes; of dynamic only least, is_asymmetric and is_relu* are read. output may be either
 * input. */
tl_status tl_elementwise_add_dynamic_s8(const tl_dynamic_params *dynamic,
                                        const int8_t *input_1,
                                        const int8_t *input_2,
                                        int8_t *output,
                                        int32_t size,
                                        const int32_t *scale_1,
                                        const int32_t *scale_2,
                                        int32_t *output_scale);

/**
 * Concatenation of tensors of different scale: to the coarsest (Q) or to the union of what they can hold.
 * @param[in]  inputs        `count` tensors
 * @param[in]  scales        their scales
 * @param[in]  block_bytes   per input, from the axis inwards
 * @param[in]  outer         blocks of each
 */
tl_status tl_concatenation_dynamic_s8(const tl_dynamic_params *dynamic,
                                      const void *const *inputs,
                                      const void *const *scales,
                                      const int32_t *block_bytes,
                                      int32_t count,
                                      int32_t outer,
                                      int8_t *output,
                                      int32_t *output_scale);

/** SOFTMAX of rows with a scale found at run time, beta 1; otherwise as tl_softmax_s8. */
tl_status
tl_softmax_dynamic_s8(const int32_t *input_scale, const int8_t *input, int8_t *output, int32_t rows, int32_t depth);

#ifdef __cplusplus
}
#endif
#endif
