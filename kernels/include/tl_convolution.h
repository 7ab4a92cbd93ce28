/* SPDX-License-Identifier: MIT
 * int8 convolution kernels, bit-exact with TensorFlow Lite Micro. Activations are NHWC, zero point and scale per
 * tensor; weights are symmetric with a scale per output channel.
 *
 * The fast kernels take weights and constants that were packed offline (firmware-gen/passes/lower/pack-weights.ts):
 *
 * Packed weights. Output channels come in blocks of 4 (the last one filled up with zeros). A block's weights are in the
 * order in which a column is read, filled up with zeros to a multiple of 8, two elements k, k' of the column at a time:
 * 8 bytes {A(k), A(k'), B(k), B(k')} of little-endian int16 values A = 256 * w[1] + w[0], B = 256 * w[3] + w[2], where
 * w[c] is the weight of the block's channel c. One SMLAD with A gives 256 * sum_1 + sum_0 and one with its low bytes
 * (SXTB16) sum_0, so a single widening instruction serves two channels. It requires weights within [-127, 127] and
 * |sum_1| + |bias_1| < 2^23, which lowering proves.
 *
 * Packed constants, 16 int32 per block of 4 channels: {bias_0, 256 * bias_1 + bias_0, bias_2, 256 * bias_3 + bias_2},
 * then for each of the 4 channels {multiplier, addend, shift}. The biases have input_offset * sum(weights) in them; all
 * of it modulo 2^32. With sum = accumulator + bias, and all roundings TFLite's, output = saturate8((round(2 * sum *
 * multiplier / 2^32) - (sum < 0) + addend) >> shift) shift in [1, 31], addend = 2^(shift - 1) + (output zero point <<
 * shift); lowering proves that nothing overflows. */
#ifndef TL_CONVOLUTION_H
#define TL_CONVOLUTION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    tl_tile stride;           /* >= 1 */
    tl_tile padding;          /* rows above and columns left of the input, >= 0 */
    tl_tile dilation;         /* >= 1 */
    int32_t input_offset;     /* -(input zero point), [-127, 128] */
    int32_t output_offset;    /* output zero point, [-128, 127] */
    tl_activation activation; /* within [-128, 127] */
} tl_conv_params;

/** Unpacked requantization, one entry per output channel. multiplier: 0 or [2^30, 2^31); shift: [-31, 30], positive to
 * the left. */
typedef struct {
    const int32_t *multiplier;
    const int32_t *shift;
} tl_per_channel_quant;

/**
 * Convolution with any window: columns of the input are widened to int16 two output pixels at a time and multiplied
 * with the packed weights. Column order: rows of the window, then columns, then input channels; every four elements
 * k..k+3 are stored as k, k+2, k+1, k+3 (the order in which SXTB16 delivers them). C_IN is a multiple of 4.
 * @param[in]  ctx           scratch of tl_convolve_s8_get_buffer_size bytes
 * @param[in]  params        groups are not supported here
 * @param[in]  input_dims    [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims   [C_OUT, HK, WK, C_IN]
 * @param[in]  filter        packed, see above
 * @param[in]  constants     packed, see above
 * @param[in]  output_dims   [N, H, W, C_OUT]
 * @param[out] output        does not overlap input
 */
tl_status tl_convolve_s8(const tl_context *ctx,
                         const tl_conv_params *params,
                         const tl_dims *input_dims,
                         const int8_t *input,
                         const tl_dims *filter_dims,
                         const int8_t *filter,
                         const int32_t *constants,
                         const tl_dims *output_dims,
                         int8_t *output);

int32_t tl_convolve_s8_get_buffer_size(const tl_dims *filter_dims);

/**
 * As tl_convolve_s8, for any C_IN (first layers have 1 or 3). Column elements are in their natural order; each row of
 * the window is filled up to an even length with weight 0.
 */
tl_status tl_convolve_few_channels_s8(const tl_context *ctx,
                                      const tl_conv_params *params,
                                      const tl_dims *input_dims,
                                      const int8_t *input,
                                      const tl_dims *filter_dims,
                                      const int8_t *filter,
                                      const int32_t *constants,
                                      const tl_dims *output_dims,
                                      int8_t *output);

int32_t tl_convolve_few_channels_s8_get_buffer_size(const tl_dims *filter_dims);

/**
 * The same for a 1x1 window without padding. C_IN is a multiple of 4.
 * @param[out] output        may start where input starts if C_OUT <= C_IN: a pixel is read before it is overwritten
 */
tl_status tl_convolve_1x1_s8(const tl_context *ctx,
                             const tl_conv_params *params,
                             const tl_dims *input_dims,
                             const int8_t *input,
                             const tl_dims *filter_dims,
                             const int8_t *filter,
                             const int32_t *constants,
                             const tl_dims *output_dims,
                             int8_t *output);

int32_t tl_convolve_1x1_s8_get_buffer_size(const tl_dims *filter_dims);

/**
 * Any int8 convolution, in plain C and without packing: what the fast kernels do not take (weights of -128, huge
 * windows, rescaling by a half or more, grouped channels). C_IN of the input is a multiple of the filter's, C_OUT of
 * the number of groups that makes.
 * @param[in]  filter        [C_OUT, HK, WK, C_IN / groups] as in the model
 * @param[in]  bias          C_OUT values, or NULL
 * @param[out] output        does not overlap input
 */
tl_status tl_convolve_general_s8(const tl_conv_params *params,
                                 const tl_per_channel_quant *quant,
                                 const tl_dims *input_dims,
                                 const int8_t *input,
                                 const tl_dims *filter_dims,
                                 const int8_t *filter,
                                 const int32_t *bias,
                                 const tl_dims *output_dims,
                                 int8_t *output);

typedef struct {
    tl_tile stride;           /* >= 1 */
    tl_tile padding;          /* rows above and columns left of the input, >= 0 */
    tl_tile dilation;         /* >= 1 */
    int32_t input_offset;     /* -(input zero point), [-127, 128] */
    int32_t output_offset;    /* output zero point, [-128, 127] */
    int32_t multiplier;       /* output channels per input channel */
    tl_activation activation; /* within [-128, 127] */
} tl_depthwise_params;

/**
 * Depthwise convolution with one output channel per input channel, any window, 4 channels at a time. The number of
 * channels is a multiple of 4.
 * @param[in]  params       multiplier 1
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  filter_dims  [1, HK, WK, C]
 * @param[in]  filter       per block of 4 channels HK * WK times 4 weights: [C / 4, HK, WK, 4]
 * @param[in]  constants    per channel {bias, multiplier, addend, shift} as in the packed constants above, but
 * input_offset is not in the bias: taps outside the input are left out
 * @param[in]  output_dims  [N, H, W, C]
 * @param[out] output       does not overlap input
 */
tl_status tl_depthwise_conv_s8(const tl_depthwise_params *params,
                               const tl_dims *input_dims,
                               const int8_t *input,
                               const tl_dims *filter_dims,
                               const int8_t *filter,
                               const int32_t *constants,
                               const tl_dims *output_dims,
                               int8_t *output);

/**
 * 3x3 windows, stride 1, no dilation, one output channel per input channel, channels a multiple of 4.
 * @param[in]  ctx          scratch of tl_depthwise_conv_3x3_s8_get_buffer_size bytes
 * @param[in]  params       padding 0 or 1 on each side
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  filter       12 bytes per channel: for each position along the longer side of the output (the width
 * unless H > W) the weights w0, w1, w2 across it as {w0, w1, w1, w2}
 * @param[in]  constants    per channel {bias, multiplier, addend, shift} as in the packed constants above, input_offset
 * in the bias
 * @param[in]  output_dims  [N, H, W, C]
 * @param[out] output       may start where input starts if both have the same extents: lines are copied to scratch
 * before they are overwritten
 */
tl_status tl_depthwise_conv_3x3_s8(const tl_context *ctx,
                                   const tl_depthwise_params *params,
                                   const tl_dims *input_dims,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   const tl_dims *output_dims,
                                   int8_t *output);

int32_t tl_depthwise_conv_3x3_s8_get_buffer_size(const tl_dims *output_dims);

/**
 * As tl_depthwise_conv_3x3_s8 with stride 2 both ways.
 * @param[out] output       does not overlap input
 */
tl_status tl_depthwise_conv_3x3_stride2_s8(const tl_context *ctx,
                                           const tl_depthwise_params *params,
                                           const tl_dims *input_dims,
                                           const int8_t *input,
                                           const int8_t *filter,
                                           const int32_t *constants,
                                           const tl_dims *output_dims,
                                           int8_t *output);

int32_t tl_depthwise_conv_3x3_stride2_s8_get_buffer_size(const tl_dims *output_dims);

/**
 * Any int8 depthwise convolution, in plain C and without packing. Output channel = input channel * multiplier + m.
 * @param[in]  filter       [1, HK, WK, C_OUT] as in the model
 * @param[in]  bias         C_OUT values, or NULL
 * @param[out] output       does not overlap input
 */
tl_status tl_depthwise_conv_general_s8(const tl_depthwise_params *params,
                                       const tl_per_channel_quant *quant,
                                       const tl_dims *input_dims,
                                       const int8_t *input,
                                       const tl_dims *filter_dims,
                                       const int8_t *filter,
                                       const int32_t *bias,
                                       const tl_dims *output_dims,
                                       int8_t *output);

/**
 * Two int16 columns times all output channels; the core of the convolutions above.
 * @param[in]  columns     element pairs of the two columns by turns: {c0[0], c0[1], c1[0], c1[1], c0[2], ...}, 4-byte
 * aligned
 * @param[in]  pairs       element pairs per column, a multiple of 4, > 0
 * @param[in]  weights     packed weights, 4-byte aligned
 * @param[in]  constants   packed constants
 * @param[in]  channels    output channels, > 0
 * @param[out] output_0    `channels` results of column 0; may equal output_1, then column 0's results stay
 * @param[out] output_1    `channels` results of column 1
 */
void tl_matmul_2_columns_s8(const int16_t *columns,
                            int32_t pairs,
                            const int8_t *weights,
                            const int32_t *constants,
                            int32_t channels,
                            int8_t *output_0,
                            int8_t *output_1);

/** Clamps count values in place to the activation's range: kernels saturate to int8, few layers ask for less. */
void tl_clamp_s8(int8_t *values, int32_t count, const tl_activation *activation);

#ifdef __cplusplus
}
#endif
#endif
