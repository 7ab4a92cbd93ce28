/* SPDX-License-Identifier: MIT
 * What the 16x16 kernels share; not called by generated code. A product is at most 2^30: sums are exact in 64 bits, so their order is free. */
#ifndef TL_INT16_W16_SUPPORT_H
#define TL_INT16_W16_SUPPORT_H

#include "tl_int16_support.h"
#include "tl_int16_w16.h"

#ifdef __cplusplus
extern "C" {
#endif

/** sum[c] += x[i] * weights[c * stride + i] for i = 0..count-1, c = 0, 1. */
TL_INLINE void tl_dot_2_w16_s16(const int16_t *x, const int16_t *weights, int32_t stride, int32_t count, int64_t *sum)
{
    const int16_t *const end = weights + count;
    int64_t s0 = sum[0];
    int64_t s1 = sum[1];
#if defined(TL_USE_DSP)
    while (end - weights >= 2) {
        const uint32_t pair = tl_load_word(x);
        s0 = tl_smlald(pair, tl_load_word(weights), s0);
        s1 = tl_smlald(pair, tl_load_word(weights + stride), s1);
        x += 2;
        weights += 2;
    }
#endif
    for (; weights < end; ++weights) {
        const int32_t value = *x++;
        s0 += value * weights[0];
        s1 += value * weights[stride];
    }
    sum[0] = s0;
    sum[1] = s1;
}

/** sum + x[0] * weights[0] + .. + x[count - 1] * weights[count - 1]. */
TL_INLINE int64_t tl_dot_1_w16_s16(const int16_t *x, const int16_t *weights, int32_t count, int64_t sum)
{
#if defined(TL_USE_DSP)
    for (; count >= 2; count -= 2) {
        sum = tl_smlald(tl_load_word(x), tl_load_word(weights), sum);
        x += 2;
        weights += 2;
    }
#endif
    for (; count > 0; --count) {
        sum += *x++ * *weights++;
    }
    return sum;
}

/** Output channels [first, last) of one input under a walk, as tl_dot_block_s16. */
void tl_dot_block_w16_s16(const tl_requant_s16 *requant,
                          const tl_walk *walk,
                          const int16_t *input,
                          const int16_t *filter,
                          int32_t first,
                          int32_t last,
                          int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
