/* SPDX-License-Identifier: MIT
 * What the training kernels share. */
#ifndef TL_ADAPTATION_SUPPORT_H
#define TL_ADAPTATION_SUPPORT_H

#include "tl_adaptation.h"
#include "tl_support.h"

/* Bits of a gradient's product that are dropped before it is summed: 16 * 16 bits times 8 samples then fit 32. */
#define TL_ADAPT_PRODUCT_SHIFT 3
/* Bits that dynamic gradients and deltas are brought to, sign not counted. */
#define TL_ADAPT_BITS 15

/** Right shift after which values whose magnitudes' bits are `any` have at most `bits` bits. */
TL_INLINE int32_t tl_adapt_shift_to(uint32_t any, int32_t bits)
{
    int32_t shift = 0;
    while (any >> shift >= (uint32_t)1 << bits) {
        ++shift;
    }
    return shift;
}

/** value * 2^-shift, rounded to nearest with ties up, within +-(2^31 - 1). |value| < 2^61; any shift. */
TL_INLINE int32_t tl_adapt_scaled(int64_t value, int32_t shift)
{
    if (shift > 62) {
        return 0;
    }
    if (shift > 0) {
        value = (value + ((int64_t)1 << (shift - 1))) >> shift;
    } else {
        /* One bit at a time: once beyond 32 bits it saturates anyway. */
        for (; shift < 0 && value < INT32_MAX && value > -INT32_MAX; ++shift) {
            value = value * 2;
            if (value == 0) {
                break;
            }
        }
    }
    return (int32_t)(value > INT32_MAX ? INT32_MAX : value < -INT32_MAX ? -INT32_MAX : value);
}

/** One output of a layer: the sum of weights and inputs, the bias included. */
TL_INLINE int64_t tl_adapt_sum(const tl_adapt_layer *layer, const int16_t *row, const int16_t *inputs)
{
    int64_t sum = row[layer->size] * TL_ADAPT_BIAS_INPUT;
    for (int32_t i = 0; i < layer->size; ++i) {
        sum += row[i] * inputs[i];
    }
    return sum;
}

#endif
