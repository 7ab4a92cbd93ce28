/* SPDX-License-Identifier: MIT
 * int8 element-wise kernels of two inputs, bit-exact with TensorFlow Lite Micro's reference kernels. Only
 * tl_elementwise_add_s8 uses scratch.
 * tl_elementwise_*: equal shapes; output may be the same buffer as either input. tl_broadcast_*: any NumPy broadcast;
 * output overlaps an input only if that input has the output's shape, and is then the same buffer. */
#ifndef TL_BASIC_MATH_H
#define TL_BASIC_MATH_H

#include "tl_broadcast.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ADD and SUB. TFLite rescales both inputs to a common scale, twice the larger of the two: the input with the larger
 * scale is multiplied by exactly 1/2, which needs no rounding. That input is called wide here, the other narrow
 * (either, if the scales are equal).
 */
typedef struct {
    int32_t narrow_offset;     /* -zero_point, [-127, 128] */
    int32_t narrow_multiplier; /* of narrow scale / (2 * wide scale), in [2^30, 2^31) or 0 */
    int32_t narrow_shift;      /* [-31, 0] */
    int32_t wide_offset;       /* -zero_point, [-127, 128] */
    int32_t output_multiplier; /* of 2 * wide scale / (2^20 * output scale), in [2^30, 2^31) or 0 */
    int32_t output_shift;      /* [-31, 0] */
    int32_t output_offset;     /* zero_point, [-128, 127] */
    tl_activation activation;  /* within [-128, 127] */
} tl_add_params;

/**
 * narrow + wide.
 * @param[in]  ctx         scratch of tl_elementwise_add_s8_get_buffer_size bytes
 * @param[in]  params
 * @param[in]  narrow
 * @param[in]  wide
 * @param[out] output
 * @param[in]  block_size  elements, >= 0
 */
tl_status tl_elementwise_add_s8(const tl_context *ctx,
                                const tl_add_params *params,
                                const int8_t *narrow,
                                const int8_t *wide,
                                int8_t *output,
                                int32_t block_size);

/** Bytes of a table of the rescaled narrow input; 0 for blocks too short to gain from it. */
int32_t tl_elementwise_add_s8_get_buffer_size(int32_t block_size);

/** narrow + wide; in shape, narrow is input 1 and wide is input 2. */
tl_status tl_broadcast_add_s8(
    const tl_add_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output);

/** SUB: TFLite's difference of the rescaled inputs has the sign of whichever comes second. */
typedef struct {
    tl_add_params add;
    int32_t narrow_is_subtracted; /* 1: wide - narrow; 0: narrow - wide */
} tl_sub_params;

/** Difference; in shape, narrow is input 1 and wide is input 2, whatever the order of subtraction. Serves equal shapes
 * too. */
tl_status tl_broadcast_sub_s8(
    const tl_sub_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output);

typedef struct {
    int32_t input_1_offset;    /* -zero_point, [-127, 128] */
    int32_t input_2_offset;    /* -zero_point, [-127, 128] */
    int32_t output_multiplier; /* of scale 1 * scale 2 / output scale, in [2^30, 2^31) or 0 */
    int32_t output_shift;      /* [-31, 14]: the largest product is 255 * 255 */
    int32_t output_offset;     /* zero_point, [-128, 127] */
    tl_activation activation;  /* within [-128, 127] */
} tl_mul_params;

/** input_1 * input_2. Serves equal shapes too. */
tl_status tl_broadcast_mul_s8(const tl_mul_params *params,
                              const tl_broadcast *shape,
                              const int8_t *input_1,
                              const int8_t *input_2,
                              int8_t *output);

/** Larger of the stored values: TFLite does not rescale, all three tensors share scale and zero point. Serves equal
 * shapes too. */
tl_status
tl_broadcast_maximum_s8(const tl_broadcast *shape, const int8_t *input_1, const int8_t *input_2, int8_t *output);

/** Smaller of the stored values; otherwise as tl_broadcast_maximum_s8. */
tl_status
tl_broadcast_minimum_s8(const tl_broadcast *shape, const int8_t *input_1, const int8_t *input_2, int8_t *output);

#ifdef __cplusplus
}
#endif
#endif
