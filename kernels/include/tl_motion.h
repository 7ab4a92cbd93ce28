/* SPDX-License-Identifier: MIT
 * From windows of int16 sensor counts to a network's int8 input: unit vectors, standardisation, and the convolution over the image that two
 * windows span. Bit-exact with firmware-gen/reference/signal. */
#ifndef TL_MOTION_H
#define TL_MOTION_H

#include "tl_basic_math.h"
#include "tl_convolution.h"
#include "tl_dynamic_range.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * v / ||v|| of each frame's triplet as Q15, rounded to nearest; the zero vector stays zero. Relative error of the norm below 2^-15.
 * @param[in]  input    triplets, `stride` values apart
 * @param[out] output   [frames, 3]
 */
void tl_unit_vectors_s16(const int16_t *input, int32_t stride, int32_t frames, int16_t *output);

/** One channel: units = round(256 * (value + offset) * multiplier * 2^(shift - 31)), TFLite's two roundings. */
typedef struct {
    int32_t offset;     /* -(mean in counts), [-32768, 32768] */
    int32_t multiplier; /* [2^30, 2^31) or 0 */
    int32_t shift;      /* [-31, 0] */
} tl_standardise_params;

/**
 * q = clamp(units + zero point).
 * @param[in]  params    one per channel
 * @param[in]  input     frames of `channels` values, `stride` values apart
 * @param[out] output    [frames, channels]
 */
void tl_standardise_s16_s8(const tl_standardise_params *params,
                           int32_t channels,
                           int32_t zero_point,
                           const int16_t *input,
                           int32_t stride,
                           int32_t frames,
                           int8_t *output);

/**
 * The same with a scale found at run time, so that a window louder than any other is not clipped: units become int8 as the sums of a dynamic layer
 * do (tl_dynamic.h).
 * @param[in]  dynamic       full form; weight scale 2^6, with which a layer's sums count in steps of its input, here the unit
 * @param[in]  unit          scale of units, zero point 0
 * @param[in]  input         [frames, channels]
 * @param[out] output        [frames, channels]
 * @param[out] output_scale  of output
 */
void tl_standardise_dynamic_s16_s8(const tl_standardise_params *params,
                                   int32_t channels,
                                   const tl_dynamic_params *dynamic,
                                   const int32_t *unit,
                                   const int16_t *input,
                                   int32_t frames,
                                   int8_t *output,
                                   int32_t *output_scale);

/**
 * tl_broadcast_mul_s8 of a column [H, 1, C] and a row [1, W, C], then tl_convolve_few_channels_s8 over the product [H, W, C]. The product
 * is made row by row: only the filter's height of rows is ever in memory.
 * @param[in]  ctx         scratch of tl_convolve_outer_s8_get_buffer_size bytes
 * @param[in]  mul_params  of the product
 * @param[in]  column      [H, C]
 * @param[in]  row         [W, C]
 * @param[in]  params      of the convolution; dilation 1
 * @param[in]  input_dims  [1, H, W, C] of the product
 * Others as in tl_convolve_few_channels_s8.
 */
tl_status tl_convolve_outer_s8(const tl_context *ctx,
                               const tl_mul_params *mul_params,
                               const int8_t *column,
                               const int8_t *row,
                               const tl_conv_params *params,
                               const tl_dims *input_dims,
                               const tl_dims *filter_dims,
                               const int8_t *filter,
                               const int32_t *constants,
                               const tl_dims *output_dims,
                               int8_t *output);

int32_t tl_convolve_outer_s8_get_buffer_size(const tl_dims *input_dims, const tl_dims *filter_dims);

#ifdef __cplusplus
}
#endif
#endif
