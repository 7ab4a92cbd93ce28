/* SPDX-License-Identifier: MIT
 * Training of a linear head on the device: softmax regression on int8 features by stochastic gradient descent, in 16-bit fixed point with static or
 * dynamic scales, or in float. Bit-exact with firmware-gen/reference/adaptation.
 *
 * Weights are [classes, size + 1]; the last column is the bias, whose input is TL_ADAPT_BIAS_INPUT. The features' step is folded into the weights: a
 * logit is the sum of weight * (phi + offset). */
#ifndef TL_ADAPTATION_H
#define TL_ADAPTATION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** About as large as features are, so that biases learn as fast as weights. */
#define TL_ADAPT_BIAS_INPUT 64

typedef struct {
    int32_t size;    /* of phi, 1..1023 */
    int32_t classes; /* 2..64 */
    int32_t offset;  /* -(zero point of phi) */
    /* A step of the learning rate, Q15 mantissa and exponent: rate = mantissa * 2^-(15 + shift), mantissa in [2^14, 2^15) */
    int32_t rate_mantissa;
    int32_t rate_shift; /* 0..40 */
    int32_t bias_only;  /* 1: weights stay as they are */
    /* 1: gradients and weights find their own scales. 0: gradients are shifted right by gradient_shift, weights keep their exponent, both saturate. */
    int32_t is_dynamic;
    int32_t gradient_shift; /* 0..24, static only */
} tl_adapt_params;

/** What is learned, and kept over a reset. */
typedef struct {
    int32_t exponent; /* weight = mantissa * 2^-exponent, 0..40 */
    int16_t *weights; /* [classes, size + 1] */
} tl_adapt_weights;

/** Index of the largest logit. @param[out] logits [classes], in steps of 2^-exponent */
int32_t tl_adapt_scores_s16(const tl_adapt_params *params,
                            const tl_adapt_weights *weights,
                            const int8_t *phi,
                            int32_t *logits);

/**
 * Adds one sample's gradient of the cross-entropy. At most 8 samples between two calls of tl_adapt_apply_s16.
 * @param[in]     scratch   2 * classes int32
 * @param[in,out] gradient  [classes, size + 1], Q15; zero at the start
 */
void tl_adapt_accumulate_s16(const tl_adapt_params *params,
                             const tl_adapt_weights *weights,
                             const int8_t *phi,
                             int32_t label,
                             int32_t *scratch,
                             int32_t *gradient);

/**
 * weights -= rate * gradient; clears the gradient.
 * @param[in,out] random  state of the stochastic rounding, not 0; NULL: to nearest, ties up
 */
void tl_adapt_apply_s16(const tl_adapt_params *params, tl_adapt_weights *weights, int32_t *gradient, uint32_t *random);

/** One sample's step in float: weights -= rate * gradient. @param weights [classes, size + 1] @param scratch [classes] */
void tl_adapt_step_f32(int32_t size,
                       int32_t classes,
                       int32_t offset,
                       float rate,
                       float *weights,
                       const int8_t *phi,
                       int32_t label,
                       float *scratch);

#ifdef __cplusplus
}
#endif
#endif
