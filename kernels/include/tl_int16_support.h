/* SPDX-License-Identifier: MIT
 * What the 16x8 kernels share; not called by generated code. Sums are exact integers, so their order is free: up to TL_SAFE_PRODUCTS_S16
 * products are summed in 32 bits, and these sums in 64. */
#ifndef TL_INT16_SUPPORT_H
#define TL_INT16_SUPPORT_H

#include "tl_int16.h"
#include "tl_walk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A product is at most 2^15 * 2^7 = 2^22 in magnitude: 511 of them stay below 2^31. A multiple of 4, for the unrolled loop. */
#define TL_SAFE_PRODUCTS_S16 508

/** Output channels whose sums tl_dot_4_s16 forms at once. */
#define TL_CHANNELS_S16 4

/** tl_requantize_s64 with one variable shift instead of two: floor((v + 2^(t - 1)) / 2^t) = floor((floor(v / 2^(t - 1)) + 1) / 2). */
TL_INLINE int32_t tl_rescale_s16(int64_t value, int32_t multiplier, int32_t shift)
{
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    return (int32_t)(((value * reduced >> (14 - shift)) + 1) >> 1);
}

/** Sum to output value of channel c. */
TL_INLINE int16_t tl_finish_s16(const tl_requant_s16 *requant, int64_t sum, int32_t c)
{
    int32_t scaled;
    if (requant->bias_32 != NULL) {
        const uint32_t wrapped = (uint32_t)(uint64_t)sum + (uint32_t)requant->bias_32[c];
        scaled = tl_requantize((int32_t)wrapped, requant->multiplier[c], requant->shift[c]);
    } else {
        const int64_t bias = requant->bias_64 != NULL ? requant->bias_64[c] : 0;
        scaled = tl_rescale_s16(sum + bias, requant->multiplier[c], requant->shift[c]);
    }
    return (int16_t)tl_clamp(scaled, requant->activation.min, requant->activation.max);
}

#if defined(TL_USE_DSP)
/** sum + four products. even and odd: values {0, 2} and {1, 3} of the input, as SXTB16 splits the weights. */
TL_INLINE int32_t tl_mac_4_s16(uint32_t even, uint32_t odd, const int8_t *weights, int32_t sum)
{
    const uint32_t word = tl_load_word(weights);
    return tl_smlad(odd, tl_sxtb16_ror8(word), tl_smlad(even, tl_sxtb16(word), sum));
}
#endif

/**
 * sum[c] += x[i] * weights[c * stride + i] for i = 0..count-1, c = 0..3. The four rows of weights are addressed from one pointer: with one
 * each, the core's registers do not hold the loop.
 */
TL_INLINE void tl_dot_4_s16(const int16_t *x, const int8_t *weights, int32_t stride, int32_t count, int64_t *sum)
{
    while (count > 0) {
        const int32_t part = tl_min(count, TL_SAFE_PRODUCTS_S16);
        const int8_t *const end = weights + part;
        int32_t s0 = 0;
        int32_t s1 = 0;
        int32_t s2 = 0;
        int32_t s3 = 0;
        count -= part;
#if defined(TL_USE_DSP)
        while (end - weights >= 4) {
            const uint32_t low = tl_load_word(x);
            const uint32_t high = tl_load_word(x + 2);
            const uint32_t even = tl_pkhbt(low, high);
            const uint32_t odd = tl_pkhtb(high, low);
            const int8_t *const pair = weights + 2 * stride;
            s0 = tl_mac_4_s16(even, odd, weights, s0);
            s1 = tl_mac_4_s16(even, odd, weights + stride, s1);
            s2 = tl_mac_4_s16(even, odd, pair, s2);
            s3 = tl_mac_4_s16(even, odd, pair + stride, s3);
            x += 4;
            weights += 4;
        }
#endif
        for (; weights < end; ++weights) {
            const int32_t value = *x++;
            s0 += value * weights[0];
            s1 += value * weights[stride];
            s2 += value * weights[2 * stride];
            s3 += value * weights[3 * stride];
        }
        sum[0] += s0;
        sum[1] += s1;
        sum[2] += s2;
        sum[3] += s3;
    }
}

/** x[0] * weights[0] + .. + x[count - 1] * weights[count - 1]. */
TL_INLINE int64_t tl_dot_1_s16(const int16_t *x, const int8_t *weights, int32_t count)
{
    int64_t sum = 0;
    while (count > 0) {
        int32_t left = tl_min(count, TL_SAFE_PRODUCTS_S16);
        int32_t part = 0;
        count -= left;
#if defined(TL_USE_DSP)
        for (; left >= 4; left -= 4) {
            const uint32_t low = tl_load_word(x);
            const uint32_t high = tl_load_word(x + 2);
            part = tl_mac_4_s16(tl_pkhbt(low, high), tl_pkhtb(high, low), weights, part);
            x += 4;
            weights += 4;
        }
#endif
        for (; left > 0; --left) {
            part += *x++ * *weights++;
        }
        sum += part;
    }
    return sum;
}

/**
 * Output channels [first, last) of one input under a walk.
 * @param[in]  filter  output channel 0, first tap of the walk
 * @param[out] output  channel 0
 */
void tl_dot_block_s16(const tl_requant_s16 *requant,
                      const tl_walk *walk,
                      const int16_t *input,
                      const int8_t *filter,
                      int32_t first,
                      int32_t last,
                      int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
