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

/** Sum to output value of channel c. */
TL_INLINE int16_t tl_finish_s16(const tl_requant_s16 *requant, int64_t sum, int32_t c)
{
    int32_t scaled;
    if (requant->bias_32 != NULL) {
        const uint32_t wrapped = (uint32_t)(uint64_t)sum + (uint32_t)requant->bias_32[c];
        scaled = tl_requantize((int32_t)wrapped, requant->multiplier[c], requant->shift[c]);
    } else {
        const int64_t bias = requant->bias_64 != NULL ? requant->bias_64[c] : 0;
        scaled = tl_requantize_s64(sum + bias, requant->multiplier[c], requant->shift[c]);
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

/** sum[c] += x[i] * weights[c * stride + i] for i = 0..count-1, c = 0..3. */
TL_INLINE void tl_dot_4_s16(const int16_t *x, const int8_t *weights, int32_t stride, int32_t count, int64_t *sum)
{
    while (count > 0) {
        const int8_t *w0 = weights;
        const int8_t *w1 = w0 + stride;
        const int8_t *w2 = w1 + stride;
        const int8_t *w3 = w2 + stride;
        int32_t left = tl_min(count, TL_SAFE_PRODUCTS_S16);
        int32_t s0 = 0;
        int32_t s1 = 0;
        int32_t s2 = 0;
        int32_t s3 = 0;
        weights += left;
        count -= left;
#if defined(TL_USE_DSP)
        for (; left >= 4; left -= 4) {
            const uint32_t low = tl_load_word(x);
            const uint32_t high = tl_load_word(x + 2);
            const uint32_t even = tl_pkhbt(low, high);
            const uint32_t odd = tl_pkhtb(high, low);
            s0 = tl_mac_4_s16(even, odd, w0, s0);
            s1 = tl_mac_4_s16(even, odd, w1, s1);
            s2 = tl_mac_4_s16(even, odd, w2, s2);
            s3 = tl_mac_4_s16(even, odd, w3, s3);
            x += 4;
            w0 += 4;
            w1 += 4;
            w2 += 4;
            w3 += 4;
        }
#endif
        for (; left > 0; --left) {
            const int32_t value = *x++;
            s0 += value * *w0++;
            s1 += value * *w1++;
            s2 += value * *w2++;
            s3 += value * *w3++;
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

#ifdef __cplusplus
}
#endif
#endif
