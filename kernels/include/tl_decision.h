/* SPDX-License-Identifier: MIT
 * From int8 features to a decision: class scores, tests for being in distribution, a filter over time. Integer throughout; bit-exact with
 * firmware-gen/reference/decision. Features are phi = value + offset, offset = -zero_point, in the encoder's output step. */
#ifndef TL_DECISION_H
#define TL_DECISION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Cosine head (generalised ODIN's h of kind C, arXiv 2002.11297). Weights are unit vectors in Q15, so a class's score is 2^15 * |phi| * cosine and
 * needs no norm to be compared with another's.
 */
typedef struct {
    int32_t size;    /* of phi, 1..1024 */
    int32_t classes; /* >= 1 */
    int32_t offset;  /* -(zero point of phi), [-127, 128] */
    /* Accepted are cosines >= tau > 0: tau^2 in Q30 */
    int32_t threshold_squared;
    const int16_t *weights; /* [classes, size] */
} tl_cosine_params;

/** Index of the largest score, the first on a tie. @param[out] scores [classes] @param[out] squared_norm of phi, < 2^26 */
int32_t tl_cosine_scores_s8(const tl_cosine_params *params, const int8_t *phi, int32_t *scores, int32_t *squared_norm);

/** 1 if score^2 >= tau^2 * |phi|^2 with a positive score: no division, no square root; a common factor of phi (its exponent at run time) cancels. */
int32_t tl_cosine_accepts(const tl_cosine_params *params, int32_t score, int32_t squared_norm);

/** Linear head: logits = weights * phi + bias in one common step. */
typedef struct {
    int32_t size;
    int32_t classes;
    int32_t offset;
    const int16_t *weights; /* [classes, size] */
    const int32_t *bias;    /* [classes]; sums fit int32 */
} tl_linear_params;

/** Index of the largest logit, the first on a tie. @param[out] scores [classes] */
int32_t tl_linear_scores_s8(const tl_linear_params *params, const int8_t *phi, int32_t *scores);

/** Rescales scores to exponents of two in Q10, with TFLite's two roundings. */
typedef struct {
    int32_t multiplier; /* [2^30, 2^31) or 0 */
    int32_t shift;      /* [-31, 0] */
} tl_exponent_scale;

/**
 * A linear head for features whose scale is found at run time: bias and exponents, which are those of features in steps of 2^(phi_shift - 1), for
 * features in `scale` (tl_dynamic.h).
 * @param[out] bias       [classes], within +-2^29
 * @param[out] head_now   the head with that bias and the offset of `scale`
 * @param[out] exponents_now  at most 1, below 2^-32 zero
 */
void tl_linear_at_scale(const tl_linear_params *head,
                        const tl_exponent_scale *exponents,
                        int32_t phi_shift,
                        const int32_t *scale,
                        int32_t *bias,
                        tl_linear_params *head_now,
                        tl_exponent_scale *exponents_now);

/**
 * 2^t of each score's distance to the largest, t = (score - largest) in the given scale: what softmax divides by its sum.
 * @param[out] powers  [classes] Q15, 1 as 32768. Returns their sum, >= 32768.
 */
int32_t tl_relative_powers(const tl_exponent_scale *scale, int32_t classes, const int32_t *scores, int32_t *powers);

/**
 * The same for a cosine head: t = sharpness * (score - largest) / |phi| / 2^8. @param sharpness 2^8 * 1024 * log2(e) * (inverse temperature of the
 * cosines) / 2^15, below 2^20
 */
int32_t
tl_cosine_powers(int32_t sharpness, int32_t squared_norm, int32_t classes, const int32_t *scores, int32_t *powers);

/** 2^t in Q15 of t <= 0 in Q10; zero below 2^-16. */
int32_t tl_exp2_q15(int32_t t);

/** The largest softmax value is 32768 / sum: 1 if sum <= sum_max, that is if it reaches the threshold. */
int32_t tl_max_softmax_accepts(int32_t sum, int32_t sum_max);

/** log2 of the sum of 2^score in Q10, the negative energy in bits. @param sum of tl_relative_powers */
int32_t tl_energy_q10(const tl_exponent_scale *scale, int32_t largest, int32_t sum);

/** Squared Mahalanobis distance to the nearest class: |M (phi - mean)|^2 with a lower triangular M. */
typedef struct {
    int32_t size; /* of phi, 1..256 */
    int32_t classes;
    int32_t offset;
    int32_t shift;           /* whitened values are M phi >> shift, 0..16 */
    const int16_t *whitening; /* M, the lower triangle row by row: size * (size + 1) / 2 */
    const int32_t *centres;  /* [classes, size]: M mean in whitened steps */
} tl_mahalanobis_params;

/** @param scratch size int32. Returns the distance, saturated below 2^62. @param[out] nearest index of the class */
int64_t tl_mahalanobis_s8(const tl_mahalanobis_params *params, const int8_t *phi, int32_t *scratch, int32_t *nearest);

/**
 * Prototypes in whitened features: squared distance to the nearest, |M x - centre|^2 with a lower triangular M. Many narrow Gaussians of one
 * covariance, which follow what no single one of a class does.
 */
typedef struct {
    int32_t size;             /* of the features, 1..256 */
    int32_t count;            /* of prototypes, >= 1 */
    int32_t shift;            /* whitened values are M x >> shift, 0..31, limited to +-16383 */
    const int16_t *whitening; /* M, the lower triangle row by row: size * (size + 1) / 2 */
    const int16_t *centres;   /* [count, size], whitened; +-16383 */
    const uint8_t *labels;    /* [count] */
} tl_prototypes_params;

/** @param scratch size int16. Returns the distance, INT32_MAX where it is larger. @param[out] label of the nearest, the first on a tie */
int32_t tl_nearest_prototype_s16(const tl_prototypes_params *params,
                                 const int16_t *features,
                                 int16_t *scratch,
                                 int32_t *label);

/** Forward filter of a hidden Markov model whose state mostly stays: to each other class it goes with the same probability. */
typedef struct {
    int32_t classes;
    int32_t stay;   /* Q15: extra probability to stay, beside change */
    int32_t change; /* Q15: probability of each class to come next, whatever the state; stay + classes * change = 32768 */
} tl_sticky_params;

/**
 * One window. @param[in,out] belief [classes] Q15, sums to about 32768; at the start 32768 / classes each.
 * @param likelihoods [classes] Q15, 0..32768 with at least one 32768, or NULL for a window without evidence (rejected).
 * Returns the most probable class.
 */
int32_t tl_sticky_filter(const tl_sticky_params *params, int32_t *belief, const int32_t *likelihoods);

#ifdef __cplusplus
}
#endif
#endif
