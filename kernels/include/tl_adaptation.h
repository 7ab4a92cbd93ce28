/* SPDX-License-Identifier: MIT
 * Training of a classifier's last dense layers on the device: softmax regression on int8 features by stochastic
 * gradient descent, in 16-bit fixed point with static or dynamic scales, or in float; and inference with the trained
 * weights in 8 bits. Bit-exact with firmware-gen/reference/adaptation.
 *
 * One layer (the head) or two (the dense layer of the features and the head). Weights of a layer are [outputs, size +
 * 1]; the last column is the bias, whose input is TL_ADAPT_BIAS_INPUT. What goes into a layer is int16 in a fixed step;
 * steps are folded into the weights, so that a logit is the plain sum of weight * input. */
#ifndef TL_ADAPTATION_H
#define TL_ADAPTATION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Steps of int16 features per step of the calibrated int8 ones: what is sixteen times louder still fits, what is
 * softer keeps its digits. */
#define TL_ADAPT_STEPS 16
/** About as large as features are, so that biases learn as fast as weights. */
#define TL_ADAPT_BIAS_INPUT (64 * TL_ADAPT_STEPS)
/** Length of unit features. */
#define TL_ADAPT_UNIT_LENGTH 4096
#define TL_ADAPT_LAYERS_MAX 2

typedef struct {
    int32_t size;    /* inputs, 1..1023 */
    int32_t outputs; /* 1..256; of the last layer, the classes, 2..64 */
    int32_t is_relu; /* of the first of two layers */
    /* A step of the learning rate, Q15 mantissa and exponent: rate = mantissa * 2^-(15 + shift), mantissa in [2^14,
     * 2^15) */
    int32_t rate_mantissa;
    int32_t rate_shift; /* -14..40 */
    /* Static only: right shifts of gradients (0..24) and of what goes back to the layer before (0..40), both then
     * saturated to 16 bits. */
    int32_t gradient_shift;
    int32_t delta_shift;
} tl_adapt_layer;

typedef struct {
    const tl_adapt_layer *layers;
    int32_t layer_count; /* 1 or 2 */
    int32_t bias_only;   /* 1: weights stay as they are */
    /* 1: gradients, deltas and weights find their own scales. 0: all of them have fixed ones and saturate. */
    int32_t is_dynamic;
} tl_adapt_params;

/** What is learned, one per layer, and kept over a reset. */
typedef struct {
    int32_t exponent; /* weight = mantissa * 2^-exponent, 0..40 */
    int16_t *weights; /* [outputs, size + 1] */
} tl_adapt_weights;

typedef struct {
    int16_t *hidden;                                /* [size of layer 1]; not used with one layer */
    int32_t *back;                                  /* [size of layer 1]; not used with one layer */
    int32_t *logits;                                /* [classes], Q16 */
    int32_t *delta;                                 /* [classes], Q15 */
    int32_t *gradient[TL_ADAPT_LAYERS_MAX];         /* [outputs, size + 1] each; zero at the start */
    int32_t gradient_exponent[TL_ADAPT_LAYERS_MAX]; /* gradient = mantissa * 2^-exponent */
    int32_t samples;                                /* in the gradients, 0..8; zero at the start */
} tl_adapt_scratch;

/**
 * int8 features as int16 ones of the fixed step.
 * @param[in] scale    of the features now, as dynamic models give it: real = scale[0] * 2^(scale[1] - 31) * (q -
 * scale[2]), scale[0] in [2^30, 2^31)
 * @param[in] inverse  1 / step, in the same form
 */
void tl_adapt_features_s16(
    const int8_t *phi, int32_t count, const int32_t scale[3], const int32_t inverse[2], int16_t *features);

/** int8 features at length TL_ADAPT_UNIT_LENGTH (the root of their squares is rounded down), as a cosine head takes
 * them; zero stays zero. @param offset -(zero point of phi), [-127, 128] @param count 1..1023 */
void tl_adapt_unit_features_s16(const int8_t *phi, int32_t count, int32_t offset, int16_t *features);

/** Index of the largest logit. @param[in] weights by layer @param[out] scratch logits, hidden */
int32_t tl_adapt_forward_s16(const tl_adapt_params *params,
                             const tl_adapt_weights *weights,
                             const int16_t *features,
                             tl_adapt_scratch *scratch);

/** Adds one sample's gradient of the cross-entropy. At most 8 samples between two calls of tl_adapt_apply_s16. @param
 * label 0..classes - 1. Returns the probability that the label had before, Q15. */
int32_t tl_adapt_accumulate_s16(const tl_adapt_params *params,
                                const tl_adapt_weights *weights,
                                const int16_t *features,
                                int32_t label,
                                tl_adapt_scratch *scratch);

/**
 * weights -= rate * gradient; clears the gradients.
 * @param[in,out] random  state of the stochastic rounding, not 0; NULL: to nearest, ties up
 */
void tl_adapt_apply_s16(const tl_adapt_params *params,
                        tl_adapt_weights *weights,
                        tl_adapt_scratch *scratch,
                        uint32_t *random);

/** One sample's step in float: weights -= rate * gradient. @param rates, weights by layer @param scratch [classes + 2 *
 * size of layer 1; the latter only with two layers]. Returns the probability that the label had before, Q15. */
int32_t tl_adapt_step_f32(const tl_adapt_params *params,
                          const float *rates,
                          float *const *weights,
                          const int16_t *features,
                          int32_t label,
                          float *scratch);

/** Weights in 16 bits with the exponent that leaves `headroom` bits free. @param[in,out] result its weights: [count] */
void tl_adapt_weights_s16(const float *weights, int32_t count, int32_t headroom, tl_adapt_weights *result);

/** A layer in 8 bits. Static: scales as calibrated before the training, by output, as multiplier * 2^(shift - 31).
 * Dynamic: none of the pointers. */
typedef struct {
    const int32_t *weight_multiplier; /* from weights to int8 steps; multipliers in [2^30, 2^31) */
    const int32_t *weight_shift;
    const int32_t *output_multiplier; /* from sums to the int8 output */
    const int32_t *output_shift;
    int32_t output_zero_point;
} tl_adapt_calibration;

typedef struct {
    int8_t *weights;  /* [outputs, size] */
    int32_t *bias;    /* [outputs], in steps of the sums */
    int32_t exponent; /* dynamic: weight = int8 * 2^-exponent, may be negative */
} tl_adapt_layer_s8;

/** Trained weights of one layer in 8 bits. @param calibration NULL: dynamic */
void tl_adapt_quantize_s8(const tl_adapt_layer *layer,
                          const tl_adapt_weights *weights,
                          const tl_adapt_calibration *calibration,
                          tl_adapt_layer_s8 *result);

/**
 * Index of the largest score, the first of equal ones.
 * @param[in]  calibration  by layer; NULL: dynamic
 * @param[out] hidden, sums [size of layer 1]; not used with one layer
 * @param[out] scores       [classes]; static: the int8 logits; dynamic: sums in a step of their own
 */
int32_t tl_adapt_classify_s8(const tl_adapt_params *params,
                             const tl_adapt_layer_s8 *layers,
                             const tl_adapt_calibration *calibration,
                             const int16_t *features,
                             int16_t *hidden,
                             int32_t *sums,
                             int32_t *scores);

#ifdef __cplusplus
}
#endif
#endif
