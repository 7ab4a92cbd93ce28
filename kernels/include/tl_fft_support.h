/* SPDX-License-Identifier: MIT
 * What the FFTs share. */
#ifndef TL_FFT_SUPPORT_H
#define TL_FFT_SUPPORT_H

#include "tl_support.h"

/** The lowest `bits` bits of index in reverse order. */
TL_INLINE uint32_t tl_reversed_bits(uint32_t index, int32_t bits)
{
    uint32_t reversed = 0;
    for (int32_t i = 0; i < bits; ++i, index >>= 1) {
        reversed = reversed << 1 | (index & 1U);
    }
    return reversed;
}

/** round(a * b / 2^31), ties up. Not both INT32_MIN. */
TL_INLINE int32_t tl_mul_q31(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

#endif
