/* SPDX-License-Identifier: MIT
 * int8 softmax, bit-exact with TensorFlow Lite Micro's reference kernel (fixed point; no table, no float). No scratch.
 */
#ifndef TL_SOFTMAX_H
#define TL_SOFTMAX_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The sum of exponentials is a Q12.19 number: 4096 ones would overflow it. */
#define TL_SOFTMAX_DEPTH_MAX 4095

typedef struct {
    int32_t input_multiplier; /* of beta * input scale * 2^26, in [2^30, 2^31) */
    int32_t input_left_shift; /* [0, 31] */
    int32_t diff_min;         /* <= 0; differences to the row's maximum below it count as exp() = 0 */
} tl_softmax_params;

/**
 * Softmax over the last dimension.
 * @param[in]  input   [rows, depth]
 * @param[out] output  [rows, depth], scale 1/256, zero point -128; may be the same buffer as input
 * @param[in]  rows    >= 0
 * @param[in]  depth   [1, TL_SOFTMAX_DEPTH_MAX]
 */
tl_status
tl_softmax_s8(const tl_softmax_params *params, const int8_t *input, int8_t *output, int32_t rows, int32_t depth);

#ifdef __cplusplus
}
#endif
#endif
