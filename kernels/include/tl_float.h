/* SPDX-License-Identifier: MIT
 * float32 kernels. Every product and every sum is rounded to float32 on its own, in the order of TensorFlow Lite Micro's reference loops, so
 * results equal firmware-gen/reference bit for bit; compile with -ffp-contract=off. None needs scratch. Layouts: activations NHWC.
 * A clamp leaves NaN alone; "no activation" is [-FLT_MAX, FLT_MAX], as in TFLite, which turns infinities into the largest finite value. */
#ifndef TL_FLOAT_H
#define TL_FLOAT_H

#include "tl_broadcast.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float min;
    float max; /* >= min */
} tl_activation_f32;

typedef struct {
    tl_tile stride;   /* >= 1 */
    tl_tile padding;  /* rows above and columns left of the input, >= 0; not multiplied, since they are zero */
    tl_tile dilation; /* >= 1 */
    tl_activation_f32 activation;
} tl_conv_params_f32;

/**
 * Convolution. Per output: sum over (filter row, filter column, input channel) in this order, then the bias, then the clamp.
 * Grouped when the filter has fewer channels than the input: output channel c reads group c / (C_OUT / groups).
 * @param[in]  input_dims   [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims  n: C_OUT; h and w: filter; c: C_GROUP, a divisor of C_IN; C_IN / C_GROUP divides C_OUT
 * @param[in]  filter       [C_OUT, H, W, C_GROUP]
 * @param[in]  bias         [C_OUT] or NULL
 * @param[in]  output_dims  [N, H, W, C_OUT]
 * @param[out] output       does not overlap input
 */
tl_status tl_convolve_f32(const tl_conv_params_f32 *params,
                          const tl_dims *input_dims,
                          const float *input,
                          const tl_dims *filter_dims,
                          const float *filter,
                          const float *bias,
                          const tl_dims *output_dims,
                          float *output);

/**
 * Depthwise convolution; output channel c reads input channel c / (C_OUT / C_IN). Per output: sum over (filter row, filter column) in this
 * order, then the bias, then the clamp.
 * @param[in]  input_dims   [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims  h and w: filter; n and c are not read
 * @param[in]  filter       [1, H, W, C_OUT]
 * @param[in]  bias         [C_OUT] or NULL
 * @param[in]  output_dims  [N, H, W, C_OUT], C_OUT a multiple of C_IN
 * @param[out] output       does not overlap input
 */
tl_status tl_depthwise_conv_f32(const tl_conv_params_f32 *params,
                                const tl_dims *input_dims,
                                const float *input,
                                const tl_dims *filter_dims,
                                const float *filter,
                                const float *bias,
                                const tl_dims *output_dims,
                                float *output);

/**
 * Fully connected layer: sum over the inputs in order, then the bias, then the clamp.
 * @param[in]  activation
 * @param[in]  batches  rows of input and output
 * @param[in]  inputs   elements of a row
 * @param[in]  input    [batches, inputs]
 * @param[in]  filter   [units, inputs]
 * @param[in]  bias     [units] or NULL
 * @param[in]  units
 * @param[out] output   [batches, units], does not overlap input
 */
tl_status tl_fully_connected_f32(const tl_activation_f32 *activation,
                                 int32_t batches,
                                 int32_t inputs,
                                 const float *input,
                                 const float *filter,
                                 const float *bias,
                                 int32_t units,
                                 float *output);

typedef struct {
    tl_tile filter;  /* >= 1 */
    tl_tile stride;  /* >= 1 */
    tl_tile padding; /* rows above and columns left of the input, >= 0 */
    tl_activation_f32 activation;
} tl_pool_params_f32;

/**
 * Mean over windows: sum over (row, column) divided by their number; padding is not counted.
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  output_dims  [N, H, W, C], n and c as the input's
 * @param[out] output       does not overlap input
 * @return     TL_ARGUMENT_ERROR if a window lies wholly in the padding
 */
tl_status tl_avgpool_f32(const tl_pool_params_f32 *params,
                         const tl_dims *input_dims,
                         const float *input,
                         const tl_dims *output_dims,
                         float *output);

/** Maximum over windows, -FLT_MAX if nothing is larger; NaN and padding are skipped. Otherwise as tl_avgpool_f32, without its error. */
tl_status tl_max_pool_f32(const tl_pool_params_f32 *params,
                          const tl_dims *input_dims,
                          const float *input,
                          const tl_dims *output_dims,
                          float *output);

/** Input [outer, reduced_0, middle, reduced_1, inner], output [outer, middle, inner]: any set of axes once neighbours are merged. */
typedef struct {
    int32_t outer;
    int32_t reduced_0;
    int32_t middle;
    int32_t reduced_1;
    int32_t inner;
} tl_mean_params_f32;

/**
 * Mean over axes: sum over (reduced_0, reduced_1) in this order, divided by their number.
 * @param[in]  input
 * @param[out] output  does not overlap input
 */
tl_status tl_mean_f32(const tl_mean_params_f32 *params, const float *input, float *output);

/**
 * input_1 + input_2 with NumPy broadcasting, clamped. Equal shapes are the case of one dimension with strides 1.
 * @param[out] output  may be the same buffer as an input of the output's shape
 */
tl_status tl_broadcast_add_f32(const tl_activation_f32 *activation,
                               const tl_broadcast *shape,
                               const float *input_1,
                               const float *input_2,
                               float *output);

/** input_1 - input_2; otherwise as tl_broadcast_add_f32. */
tl_status tl_broadcast_sub_f32(const tl_activation_f32 *activation,
                               const tl_broadcast *shape,
                               const float *input_1,
                               const float *input_2,
                               float *output);

/** input_1 * input_2; otherwise as tl_broadcast_add_f32. */
tl_status tl_broadcast_mul_f32(const tl_activation_f32 *activation,
                               const tl_broadcast *shape,
                               const float *input_1,
                               const float *input_2,
                               float *output);

/** input_1 > input_2 ? input_1 : input_2 (the second if either is NaN); buffers as tl_broadcast_add_f32. */
tl_status tl_broadcast_maximum_f32(const tl_broadcast *shape, const float *input_1, const float *input_2, float *output);

/** input_1 < input_2 ? input_1 : input_2 (the second if either is NaN); buffers as tl_broadcast_add_f32. */
tl_status tl_broadcast_minimum_f32(const tl_broadcast *shape, const float *input_1, const float *input_2, float *output);

/**
 * Softmax of every row: e^((x - max) * beta), divided by their sum in order.
 * @param[in]  input     [rows, row_size]
 * @param[in]  rows
 * @param[in]  row_size
 * @param[in]  beta
 * @param[out] output    may be the same buffer as input
 */
tl_status tl_softmax_f32(const float *input, int32_t rows, int32_t row_size, float beta, float *output);

/** 1 / (1 + e^-x) of size elements; output may be the same buffer as input, as for all that follow. */
tl_status tl_logistic_f32(const float *input, int32_t size, float *output);

/** tanh. */
tl_status tl_tanh_f32(const float *input, int32_t size, float *output);

/** x < 0 ? 0 : x. */
tl_status tl_relu_f32(const float *input, int32_t size, float *output);

/** x > 6 ? 6 : x < 0 ? 0 : x. */
tl_status tl_relu6_f32(const float *input, int32_t size, float *output);

/** x > 0 ? x : x * alpha. */
tl_status tl_leaky_relu_f32(const float *input, int32_t size, float alpha, float *output);

/** x * min(6, max(0, x + 3)) / 6. */
tl_status tl_hard_swish_f32(const float *input, int32_t size, float *output);

#ifdef __cplusplus
}
#endif
#endif
