/* SPDX-License-Identifier: MIT
 * Dynamic fixed point with int16 activations, weights int8 or int16 (w16). Scales, biases and units are those of
 * tl_dynamic.h with these differences: zero points are 0 in both schemes (the second one takes 0..32767 for the largest
 * magnitude, whatever its sign), sums have 64 bits, and every layer is done in the full form.
 * firmware-gen/reference/dynamic-s16.ts gives the same bits.
 *
 * aligned = round(round(sum / 2^sum_shift) * multiplier / 2^32), in units of input scale * largest weight scale *
 * 2^(sum_shift + 2). |sum| < 2^(31 + sum_shift), biases included, so |aligned| <= 2^29. */
#ifndef TL_DYNAMIC_S16_H
#define TL_DYNAMIC_S16_H

#include "tl_dynamic_range.h"
#include "tl_int16.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t is_power_of_two; /* the Q scheme */
    int32_t is_relu;         /* RELU or RELU6 */
    int32_t is_relu6;
    int32_t sum_shift; /* -13..19; negative: to the left */
    int32_t bias_exponent;
    int32_t weight_multiplier; /* largest weight scale */
    int32_t weight_shift;
    int32_t least_multiplier; /* finest scale of the output, 0: any */
    int32_t least_shift;
} tl_dynamic_params_s16;

typedef struct {
    tl_tile stride;   /* >= 1 */
    tl_tile padding;  /* rows above and columns left of the input, >= 0 */
    tl_tile dilation; /* >= 1 */
} tl_dynamic_window_s16;

/** Bytes of a weighted layer's scratch: biases of 64 bits, then aligned sums. */
int32_t tl_dynamic_s16_get_buffer_size(const tl_dims *output_dims);

/**
 * Convolution; a fully connected layer is one of a single tap.
 * @param[in]  ctx           scratch of tl_dynamic_s16_get_buffer_size bytes, aligned to 8
 * @param[in]  window
 * @param[in]  dynamic
 * @param[in]  input_dims    [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims   [C_OUT, HK, WK, C_IN]
 * @param[in]  filter        [C_OUT, HK, WK, C_IN], at most 2^16 elements per output channel
 * @param[in]  constants     {bias, multiplier} per output channel, multiplier = 2^30 * weight scale / largest weight
 * scale
 * @param[in]  output_dims   [N, H, W, C_OUT]
 * @param[out] output        may start where input starts
 * @param[in]  input_scale
 * @param[out] output_scale
 */
tl_status tl_convolve_dynamic_s16(const tl_context *ctx,
                                  const tl_dynamic_window_s16 *window,
                                  const tl_dynamic_params_s16 *dynamic,
                                  const tl_dims *input_dims,
                                  const int16_t *input,
                                  const tl_dims *filter_dims,
                                  const int8_t *filter,
                                  const int32_t *constants,
                                  const tl_dims *output_dims,
                                  int16_t *output,
                                  const int32_t *input_scale,
                                  int32_t *output_scale);

tl_status tl_convolve_dynamic_w16_s16(const tl_context *ctx,
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
                                      int32_t *output_scale);

/** Depthwise convolution of any multiplier. @param[in] filter [1, HK, WK, C_OUT]; otherwise as tl_convolve_dynamic_s16
 */
tl_status tl_depthwise_conv_dynamic_s16(const tl_context *ctx,
                                        const tl_dynamic_window_s16 *window,
                                        const tl_dynamic_params_s16 *dynamic,
                                        const tl_dims *input_dims,
                                        const int16_t *input,
                                        const tl_dims *filter_dims,
                                        const int8_t *filter,
                                        const int32_t *constants,
                                        const tl_dims *output_dims,
                                        int16_t *output,
                                        const int32_t *input_scale,
                                        int32_t *output_scale);

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
                                            int32_t *output_scale);

/**
 * input_1 + input_2, equal shapes; of dynamic is_power_of_two, is_relu* and least are read.
 * @param[in]  ctx     scratch of 4 bytes per element
 * @param[out] output  may be either input
 */
tl_status tl_elementwise_add_dynamic_s16(const tl_context *ctx,
                                         const tl_dynamic_params_s16 *dynamic,
                                         const int16_t *input_1,
                                         const int16_t *input_2,
                                         int16_t *output,
                                         int32_t size,
                                         const int32_t *scale_1,
                                         const int32_t *scale_2,
                                         int32_t *output_scale);

/**
 * Inputs side by side, in the coarsest of their scales or the finest that the output may get.
 * @param[in]  scales        of each input
 * @param[in]  block_values  per input, elements from the axis inwards
 * @param[in]  outer         product of the extents before the axis
 * @param[out] output        does not overlap an input
 */
tl_status tl_concatenation_dynamic_s16(const tl_dynamic_params_s16 *dynamic,
                                       const void *const *inputs,
                                       const void *const *scales,
                                       const int32_t *block_values,
                                       int32_t count,
                                       int32_t outer,
                                       int16_t *output,
                                       int32_t *output_scale);

/** As tl_softmax_s16, whose tables it takes. */
tl_status tl_softmax_dynamic_s16(const int32_t *input_scale,
                                 const int16_t *exp_table,
                                 const int16_t *reciprocal_table,
                                 const int16_t *input,
                                 int32_t rows,
                                 int32_t row_size,
                                 int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
