/* SPDX-License-Identifier: MIT
 * int16 activations with int8 weights (TFLite's 16x8 scheme), bit-exact with TensorFlow Lite Micro's reference kernels. All activations have
 * zero point 0, so there are no offsets. None needs scratch. Layouts: activations NHWC.
 * Weighted kernels take their bias as int64 (or NULL): TFLite then accumulates in 64 bits and rescales by a multiplier reduced to 16 bits. A
 * bias given as int32 instead makes it accumulate in 32 bits, wrapping, and rescale as int8 kernels do. One of the two is NULL.
 * QUANTIZE between integers is in tl_quantization.h. */
#ifndef TL_INT16_H
#define TL_INT16_H

#include "tl_broadcast.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a weighted kernel does with its sums. */
typedef struct {
    const int32_t *multiplier; /* one per output channel: 0 or [2^30, 2^31) */
    const int32_t *shift;      /* one per output channel: [-31, 7], with bias_32 [-31, 30] */
    const int64_t *bias_64;    /* one per output channel, [-2^47, 2^47), or NULL */
    const int32_t *bias_32;    /* one per output channel, or NULL */
    tl_activation activation;  /* within [-32768, 32767] */
} tl_requant_s16;

typedef struct {
    tl_tile stride;   /* >= 1 */
    tl_tile padding;  /* rows above and columns left of the input, >= 0 */
    tl_tile dilation; /* >= 1 */
    tl_requant_s16 requant;
} tl_conv_params_s16;

/**
 * Convolution, grouped when the filter has fewer channels than the input: output channel c reads group c / (C_OUT / groups).
 * @param[in]  input_dims   [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims  n: C_OUT; h and w: filter; c: C_GROUP, a divisor of C_IN; C_IN / C_GROUP divides C_OUT
 * @param[in]  filter       [C_OUT, H, W, C_GROUP], at most 2^24 elements per output channel
 * @param[in]  output_dims  [N, H, W, C_OUT]
 * @param[out] output       does not overlap input
 */
tl_status tl_convolve_s16(const tl_conv_params_s16 *params,
                          const tl_dims *input_dims,
                          const int16_t *input,
                          const tl_dims *filter_dims,
                          const int8_t *filter,
                          const tl_dims *output_dims,
                          int16_t *output);

/**
 * Depthwise convolution; output channel c reads input channel c / (C_OUT / C_IN).
 * @param[in]  input_dims   [N, H, W, C_IN]
 * @param[in]  input
 * @param[in]  filter_dims  h and w: filter; n and c are not read
 * @param[in]  filter       [1, H, W, C_OUT]
 * @param[in]  output_dims  [N, H, W, C_OUT], C_OUT a multiple of C_IN
 * @param[out] output       does not overlap input
 */
tl_status tl_depthwise_conv_s16(const tl_conv_params_s16 *params,
                                const tl_dims *input_dims,
                                const int16_t *input,
                                const tl_dims *filter_dims,
                                const int8_t *filter,
                                const tl_dims *output_dims,
                                int16_t *output);

/**
 * Fully connected layer.
 * @param[in]  requant  one entry per unit
 * @param[in]  batches  rows of input and output
 * @param[in]  inputs   elements of a row, at most 2^24
 * @param[in]  input    [batches, inputs]
 * @param[in]  filter   [units, inputs]
 * @param[in]  units
 * @param[out] output   [batches, units], does not overlap input
 */
tl_status tl_fully_connected_s16(const tl_requant_s16 *requant,
                                 int32_t batches,
                                 int32_t inputs,
                                 const int16_t *input,
                                 const int8_t *filter,
                                 int32_t units,
                                 int16_t *output);

/** Pooling does not rescale: TFLite requires equal scales of input and output. */
typedef struct {
    tl_tile filter;           /* >= 1, at most 65536 elements */
    tl_tile stride;           /* >= 1 */
    tl_tile padding;          /* rows above and columns left of the input, >= 0 */
    tl_activation activation; /* within [-32768, 32767] */
} tl_pool_params_s16;

/**
 * Mean over windows; padding is not counted. Rounds half away from zero.
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  output_dims  [N, H, W, C], n and c as the input's
 * @param[out] output       does not overlap input
 * @return     TL_ARGUMENT_ERROR if a window lies wholly in the padding
 */
tl_status tl_avgpool_s16(const tl_pool_params_s16 *params,
                         const tl_dims *input_dims,
                         const int16_t *input,
                         const tl_dims *output_dims,
                         int16_t *output);

/** Maximum over windows; padding is not counted. Otherwise as tl_avgpool_s16, without its error. */
tl_status tl_max_pool_s16(const tl_pool_params_s16 *params,
                          const tl_dims *input_dims,
                          const int16_t *input,
                          const tl_dims *output_dims,
                          int16_t *output);

/** Input [outer, reduced_0, middle, reduced_1, inner], output [outer, middle, inner]: any set of axes once neighbours are merged. */
typedef struct {
    int32_t outer;
    int32_t reduced_0;
    int32_t middle;
    int32_t reduced_1;
    int32_t inner;
    int32_t output_multiplier; /* with 1 / (reduced_0 * reduced_1) in it, as TFLite has it; in [0, 2^31) */
    int32_t output_shift;      /* [-31, 30] */
} tl_mean_params_s16;

/**
 * Mean over axes, with rescaling. Sums wrap to 32 bits, as TFLite's do.
 * @param[in]  input
 * @param[out] output  does not overlap input
 */
tl_status tl_mean_s16(const tl_mean_params_s16 *params, const int16_t *input, int16_t *output);

/** ADD and SUB: both inputs are shifted left by 15, rescaled to twice the larger scale, combined, and rescaled to the output. */
typedef struct {
    int32_t input_1_multiplier; /* 0 or [2^30, 2^31) */
    int32_t input_1_shift;      /* [-31, 0] */
    int32_t input_2_multiplier;
    int32_t input_2_shift;
    int32_t output_multiplier;
    int32_t output_shift;     /* [-31, 0] */
    tl_activation activation; /* within [-32768, 32767] */
} tl_add_params_s16;

/**
 * input_1 + input_2 with NumPy broadcasting. Equal shapes are the case of one dimension with strides 1.
 * @param[out] output  may be the same buffer as an input of the output's shape
 */
tl_status tl_broadcast_add_s16(const tl_add_params_s16 *params,
                               const tl_broadcast *shape,
                               const int16_t *input_1,
                               const int16_t *input_2,
                               int16_t *output);

/** input_1 - input_2; otherwise as tl_broadcast_add_s16. */
tl_status tl_broadcast_sub_s16(const tl_add_params_s16 *params,
                               const tl_broadcast *shape,
                               const int16_t *input_1,
                               const int16_t *input_2,
                               int16_t *output);

typedef struct {
    int32_t output_multiplier; /* of scale 1 * scale 2 / output scale: 0 or [2^30, 2^31) */
    int32_t output_shift;      /* [-31, 30] */
    tl_activation activation;  /* within [-32768, 32767] */
} tl_mul_params_s16;

/** input_1 * input_2; otherwise as tl_broadcast_add_s16. */
tl_status tl_broadcast_mul_s16(const tl_mul_params_s16 *params,
                               const tl_broadcast *shape,
                               const int16_t *input_1,
                               const int16_t *input_2,
                               int16_t *output);

/** Larger of the stored values: all three tensors share the scale. Buffers as tl_broadcast_add_s16. */
tl_status tl_broadcast_maximum_s16(const tl_broadcast *shape, const int16_t *input_1, const int16_t *input_2, int16_t *output);

/** Smaller of the stored values; otherwise as tl_broadcast_maximum_s16. */
tl_status tl_broadcast_minimum_s16(const tl_broadcast *shape, const int16_t *input_1, const int16_t *input_2, int16_t *output);

/** Entries of the tables of tl_softmax_s16: 512 intervals of 128 input steps each, and the end. */
#define TL_SOFTMAX_TABLE_SIZE_S16 513

typedef struct {
    int32_t multiplier;              /* of input scale * beta * 65535 / 10: 0 or [2^30, 2^31) */
    int32_t shift;                   /* [-31, 30] */
    const int16_t *exp_table;        /* e^x over [-10, 0] in Q0.15 */
    const int16_t *reciprocal_table; /* 1 / (1 + x) over [0, 1] in Q0.15 */
} tl_softmax_params_s16;

/**
 * Softmax of every row, output in Q0.15.
 * @param[in]  input     [rows, row_size]
 * @param[in]  rows
 * @param[in]  row_size  at most 65536
 * @param[out] output    may be the same buffer as input
 */
tl_status tl_softmax_s16(const tl_softmax_params_s16 *params, const int16_t *input, int32_t rows, int32_t row_size, int16_t *output);

/** (input * multiplier + half) >> shift is the argument of LOGISTIC in steps of 1 / (24 * 512), of TANH in steps of 1 / (48 * 256). */
typedef struct {
    int32_t multiplier; /* [0, 32767] */
    int32_t shift;      /* [0, 31] */
} tl_sigmoid_params_s16;

/** 1 / (1 + e^-x) in Q0.15 by TFLite's interpolated table; output may be the same buffer as input, as for all that follow. */
tl_status tl_logistic_s16(const tl_sigmoid_params_s16 *params, const int16_t *input, int32_t size, int16_t *output);

/** tanh in Q0.15 by the same table. */
tl_status tl_tanh_s16(const tl_sigmoid_params_s16 *params, const int16_t *input, int32_t size, int16_t *output);

/**
 * 1 / (1 + e^-x) for x >= 0 in units of 2^-(16 + fraction_bits); the step of tl_logistic_s16 and tl_tanh_s16.
 * @param[in]  magnitude      x * 24 * 2^fraction_bits
 * @param[in]  fraction_bits  bits of magnitude below the table's index: 9 or 8
 * @param[in]  saturated      what x beyond the table gives, in units of 2^-16
 */
uint32_t tl_sigmoid_interpolate_s16(uint32_t magnitude, int32_t fraction_bits, uint32_t saturated);

/** Rescaling followed by a clamp: RELU. */
typedef struct {
    int32_t multiplier;       /* of input scale / output scale: 0 or [2^30, 2^31) */
    int32_t shift;            /* [-31, 30] */
    tl_activation activation; /* within [-32768, 32767] */
} tl_relu_params_s16;

tl_status tl_relu_s16(const tl_relu_params_s16 *params, const int16_t *input, int32_t size, int16_t *output);

/** Clamp to [0, six]: RELU6, which does not rescale. six: 6 / scale, rounded, at most 32767. */
tl_status tl_relu6_s16(const int16_t *input, int32_t size, int32_t six, int16_t *output);

typedef struct {
    int32_t identity_multiplier; /* of input scale / output scale: 0 or [2^30, 2^31) */
    int32_t identity_shift;      /* [-31, 30] */
    int32_t alpha_multiplier;    /* of |alpha| * input scale / output scale */
    int32_t alpha_shift;
    int32_t alpha_sign; /* 1 or -1 */
} tl_leaky_relu_params_s16;

/** x >= 0 ? x : x * alpha, each rescaled. */
tl_status tl_leaky_relu_s16(const tl_leaky_relu_params_s16 *params, const int16_t *input, int32_t size, int16_t *output);

/**
 * float to int16: input / scale rounded half away from zero, saturated. NaN gives 0.
 * @param[in]  scale   > 0
 * @param[out] output  does not overlap input
 */
tl_status tl_quantize_f32_s16(float scale, const float *input, int32_t size, int16_t *output);

/** int16 to float: scale * input. Output does not overlap input. */
tl_status tl_dequantize_s16_f32(float scale, const int16_t *input, int32_t size, float *output);

#ifdef __cplusplus
}
#endif
#endif
