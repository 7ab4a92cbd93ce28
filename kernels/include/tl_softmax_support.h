/* SPDX-License-Identifier: MIT
 * The arithmetic of int8 softmax, shared by its output types; not called by generated code. Qm: an int32 with m integer bits. Constants and
 * order of operations are those of gemmlowp's fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1). */
#ifndef TL_SOFTMAX_SUPPORT_H
#define TL_SOFTMAX_SUPPORT_H

#include "tl_softmax.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest value of a row. */
int32_t tl_softmax_max_s8(const int8_t *row, int32_t depth);

/** exp() of a difference to the row's maximum, in Q0. difference: [params->diff_min, 0]. */
int32_t tl_softmax_exp(const tl_softmax_params *params, int32_t difference);

/** 1 / sum of a row's exponentials: scale in Q0, to be divided by 2^exponent. */
typedef struct {
    int32_t scale;
    int32_t exponent;
} tl_softmax_reciprocal;

/** Sums exp() over a row and inverts the sum. output_bits: 8 or 16. */
tl_softmax_reciprocal
tl_softmax_row_reciprocal(const tl_softmax_params *params, const int8_t *row, int32_t depth, int32_t max, int32_t output_bits);

#ifdef __cplusplus
}
#endif
#endif
