/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"

/* Marsaglia 2003, xorshift32. */
static uint32_t next_random(uint32_t *state)
{
    uint32_t value = *state;
    value ^= value << 13;
    value ^= value >> 17;
    value ^= value << 5;
    *state = value;
    return value;
}

/* value / 2^shift, to nearest with ties up, or up with the probability of the rest. shift: 0 or more; beyond 62 the
 * result is 0. */
static int32_t rounded_shift(int64_t value, int32_t shift, uint32_t *random)
{
    if (shift > 62) {
        return 0;
    }
    const uint64_t half = shift == 0 ? 0 : (uint64_t)1 << (shift - 1);
    uint64_t addend = half;
    if (random != NULL) {
        const uint64_t bits = next_random(random);
        addend = shift >= 32 ? bits << (shift - 32) : bits & (((uint64_t)1 << shift) - 1U);
    }
    const int64_t result = (value + (int64_t)addend) >> shift;
    return (int32_t)(result > INT32_MAX / 2 ? INT32_MAX / 2 : result < INT32_MIN / 2 ? INT32_MIN / 2 : result);
}

/* product * 2^-shift rounded down; left shifts beyond 31 are cut. */
static int64_t shifted(int64_t product, int32_t shift)
{
    return shift >= 0 ? product >> tl_min(shift, 62) : product * ((int64_t)1 << tl_min(-shift, 31));
}

/* Shifts the gradient right until it has TL_ADAPT_BITS bits (or by a fixed amount, saturated); returns by how much. */
static int32_t rescale(const tl_adapt_layer *layer, int32_t is_dynamic, int32_t *gradient, int32_t count)
{
    int32_t shift = layer->gradient_shift;
    if (is_dynamic != 0) {
        uint32_t any = 0;
        for (int32_t i = 0; i < count; ++i) {
            any |= (uint32_t)(gradient[i] ^ (gradient[i] >> 31));
        }
        shift = tl_adapt_shift_to(any, TL_ADAPT_BITS);
    }
    for (int32_t i = 0; i < count; ++i) {
        gradient[i] = tl_clamp(gradient[i] >> shift, INT16_MIN, INT16_MAX);
    }
    return shift;
}

/* Halves all weights until the largest step fits beside them. @param shift of gradient * rate to a weight of exponent 0
 */
static void
make_room(const tl_adapt_layer *layer, tl_adapt_weights *weights, const int32_t *gradient, int32_t count, int32_t shift)
{
    for (int32_t tries = 0; tries < 16 && weights->exponent > 0; ++tries) {
        int32_t fits = 1;
        for (int32_t i = 0; i < count && fits != 0; ++i) {
            const int64_t product = (int64_t)gradient[i] * layer->rate_mantissa;
            const int64_t next = weights->weights[i] - shifted(product, shift - weights->exponent);
            /* A margin of two for what rounding adds. */
            fits = next < INT16_MAX - 2 && next > INT16_MIN + 2;
        }
        if (fits != 0) {
            return;
        }
        for (int32_t i = 0; i < count; ++i) {
            weights->weights[i] = (int16_t)(weights->weights[i] >> 1);
        }
        --weights->exponent;
    }
}

static void apply(const tl_adapt_layer *layer,
                  int32_t is_dynamic,
                  tl_adapt_weights *weights,
                  int32_t *gradient,
                  int32_t gradient_exponent,
                  uint32_t *random)
{
    const int32_t count = layer->outputs * (layer->size + 1);
    const int32_t gradient_shift = rescale(layer, is_dynamic, gradient, count);
    /* gradient Q(gradient_exponent - gradient_shift), rate Q(15 + rate_shift), weights Q(exponent) */
    const int32_t whole = gradient_exponent - gradient_shift + 15 + layer->rate_shift;
    if (is_dynamic != 0) {
        make_room(layer, weights, gradient, count, whole);
    }
    const int32_t shift = whole - weights->exponent;
    for (int32_t i = 0; i < count; ++i) {
        const int64_t product = (int64_t)gradient[i] * layer->rate_mantissa;
        const int32_t step =
            shift >= 0 ? rounded_shift(product, shift, random) : rounded_shift(shifted(product, shift), 0, random);
        weights->weights[i] = (int16_t)tl_clamp(weights->weights[i] - step, INT16_MIN, INT16_MAX);
        gradient[i] = 0;
    }
}

void tl_adapt_apply_s16(const tl_adapt_params *params,
                        tl_adapt_weights *weights,
                        tl_adapt_scratch *scratch,
                        uint32_t *random)
{
    for (int32_t i = 0; i < params->layer_count; ++i) {
        apply(&params->layers[i],
              params->is_dynamic,
              &weights[i],
              scratch->gradient[i],
              scratch->gradient_exponent[i],
              random);
    }
    scratch->samples = 0;
}
