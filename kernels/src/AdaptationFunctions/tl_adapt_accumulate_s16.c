/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation.h"
#include "tl_decision.h"

/* 1024 * log2(e), rounded. */
#define EXPONENT_STEP 1477

/* Softmax in Q15: powers of two of the logits' distances to the largest, divided by their sum. */
static void softmax(const tl_adapt_params *params, int32_t exponent, const int32_t *logits, int32_t best, int32_t *p)
{
    int32_t sum = 0;
    for (int32_t c = 0; c < params->classes; ++c) {
        const int64_t distance = ((int64_t)logits[best] - logits[c]) * EXPONENT_STEP >> exponent;
        p[c] = tl_exp2_q15(distance > 16 * 1024 ? -16 * 1024 : -(int32_t)distance);
        sum += p[c];
    }
    for (int32_t c = 0; c < params->classes; ++c) {
        p[c] = (int32_t)(((uint32_t)p[c] * 32768U) / (uint32_t)sum);
    }
}

void tl_adapt_accumulate_s16(const tl_adapt_params *params,
                             const tl_adapt_weights *weights,
                             const int8_t *phi,
                             int32_t label,
                             int32_t *scratch,
                             int32_t *gradient)
{
    int32_t *logits = scratch;
    int32_t *delta = scratch + params->classes;
    const int32_t best = tl_adapt_scores_s16(params, weights, phi, logits);
    softmax(params, weights->exponent, logits, best, delta);
    delta[label] -= 32768;
    for (int32_t c = 0; c < params->classes; ++c, gradient += params->size + 1) {
        for (int32_t i = 0; i < params->size && params->bias_only == 0; ++i) {
            gradient[i] += delta[c] * (phi[i] + params->offset);
        }
        gradient[params->size] += delta[c] * TL_ADAPT_BIAS_INPUT;
    }
}
