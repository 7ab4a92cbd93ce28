/* SPDX-License-Identifier: MIT
 * DSP helpers of the pooling and element-wise kernels, beside those of tl_support.h: four int8 at a time. Instruction
 * semantics: DDI 0403E A7.7 (SXTAB16, SSUB8, SEL). Without the DSP extension the kernels do not use them. */
#ifndef TL_SUPPORT_BYTES_H
#define TL_SUPPORT_BYTES_H

#include "tl_support.h"

#if defined(TL_USE_DSP)

/* Halfwords of a plus bytes 0 and 2 (plain) or 1 and 3 (ror8) of b, modulo 2^16. */
#if defined(TL_DSP_ASM)
TL_DSP_BINARY(tl_sxtab16, "sxtab16", "", uint32_t)
TL_DSP_BINARY(tl_sxtab16_ror8, "sxtab16", ", ror #8", uint32_t)
#else
TL_DSP_BINARY_C(tl_sxtab16, uint32_t, tl_sadd16(a, tl_sxtb16(b)))
TL_DSP_BINARY_C(tl_sxtab16_ror8, uint32_t, tl_sadd16(a, tl_sxtb16_ror8(b)))
#endif

/** Per byte lane: a where the int8 c >= d, else b. SSUB8 sets the GE flags that SEL reads: one statement for both. */
TL_INLINE uint32_t tl_select_ge_s8(uint32_t c, uint32_t d, uint32_t a, uint32_t b)
{
#if defined(TL_DSP_ASM)
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %3, %4" : "=&r"(result) : "r"(c), "r"(d), "r"(a), "r"(b) : "cc");
    return result;
#else
    uint32_t result = 0;
    for (int lane = 0; lane < 32; lane += 8) {
        const uint32_t chosen = (int8_t)((c >> lane) & 0xFFU) >= (int8_t)((d >> lane) & 0xFFU) ? a : b;
        result |= chosen & (0xFFU << lane);
    }
    return result;
#endif
}

/** Larger of the int8 in each byte lane. */
TL_INLINE uint32_t tl_max4_s8(uint32_t a, uint32_t b)
{
    return tl_select_ge_s8(a, b, a, b);
}

/** Smaller of the int8 in each byte lane. */
TL_INLINE uint32_t tl_min4_s8(uint32_t a, uint32_t b)
{
    return tl_select_ge_s8(a, b, b, a);
}

/** The low byte of value in all four lanes. */
TL_INLINE uint32_t tl_broadcast_byte(int32_t value)
{
    return ((uint32_t)value & 0xFFU) * 0x01010101U;
}

#endif /* TL_USE_DSP */
#endif
