/* SPDX-License-Identifier: MIT
 * Inline helpers every integer kernel shares: TFLite's fixed-point rounding, unaligned word access and the Armv7E-M DSP
 * instructions. Rounding follows TFLite Micro built without TFLITE_SINGLE_ROUNDING (gemmlowp fixedpoint.h): doubling
 * high multiply, then a rounding shift.
 *
 * TL_USE_DSP selects the DSP paths. It is on where the core has the DSP extension, and on any host that defines
 * TL_EMULATE_DSP: the tl_* intrinsics are then plain C with the same results, so that sanitizers see both paths.
 * TL_NO_DSP turns them off (pure C99 on the core). Instruction semantics: DDI 0403E A7.7 (SXTB16, SMLAD, SMLABB..,
 * SMMLAR, PKHBT, SSAT). */
#ifndef TL_SUPPORT_H
#define TL_SUPPORT_H

#include <string.h>

#include "tl_types.h"

#if !defined(TL_NO_DSP) && (defined(__ARM_FEATURE_DSP) || defined(TL_EMULATE_DSP))
#define TL_USE_DSP 1
#endif

/* The instructions themselves; without it the C equivalents below stand in. */
#if defined(TL_USE_DSP) && defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(TL_EMULATE_DSP)
#define TL_DSP_ASM 1
#endif

/* Whole loops in assembly take all 14 registers, so they need GCC's -fomit-frame-pointer, which is on whenever it
 * optimizes. Who compiles with frame pointers defines TL_NO_ASM_LOOPS and gets the same loops from the compiler. */
#if defined(TL_DSP_ASM) && defined(__OPTIMIZE__) && !defined(TL_NO_ASM_LOOPS)
#define TL_ASM_LOOPS 1
#endif

/* Armv6-M and Armv8-M Baseline: most instructions take r0 to r7 alone, no multiplication has 64 bits, loads are aligned. */
#if defined(__GNUC__) && defined(__thumb__) && !defined(__thumb2__)
#define TL_THUMB1 1
#if defined(__OPTIMIZE__) && !defined(TL_NO_ASM_LOOPS)
#define TL_THUMB1_LOOPS 1
#endif
#endif

#if defined(__GNUC__)
#define TL_INLINE static inline __attribute__((always_inline))
#define TL_UNUSED __attribute__((unused))
/** Keeps what a function needs of registers and stack to itself. */
#define TL_NOINLINE __attribute__((noinline))
#else
#define TL_INLINE static inline
#define TL_UNUSED
#define TL_NOINLINE
#endif

#ifdef __cplusplus
extern "C" {
#endif

TL_INLINE int32_t tl_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

TL_INLINE int32_t tl_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/** low when value < low, high when value > high. low <= high. */
TL_INLINE int32_t tl_clamp(int32_t value, int32_t low, int32_t high)
{
    return tl_min(tl_max(value, low), high);
}

/** a + b, a - b and a * b modulo 2^32, as TFLite's accumulators wrap; signed overflow would be undefined in C. */
TL_INLINE int32_t tl_wrap_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

TL_INLINE int32_t tl_wrap_sub(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

TL_INLINE int32_t tl_wrap_mul(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

/** value << bits modulo 2^32. bits: 0..31. */
TL_INLINE int32_t tl_wrap_shift_left(int32_t value, int32_t bits)
{
    return (int32_t)((uint32_t)value << bits);
}

/** round(a * b / 2^31), ties towards +infinity, saturating the single case INT32_MIN * INT32_MIN: gemmlowp's
 *  SaturatingRoundingDoublingHighMul (its truncating division after a signed nudge rounds negative ties up too). */
TL_INLINE int32_t tl_doubling_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/** round(value / 2^exponent), ties away from zero: gemmlowp's RoundingDivideByPOT. exponent: 0..31. */
TL_INLINE int32_t tl_divide_by_power_of_two(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1U);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/** TFLite's MultiplyByQuantizedMultiplier for int32: value * multiplier * 2^(shift - 31), rounded twice.
 *  multiplier: 0, or 2^30..2^31-1; shift: -31..30, positive to the left (the left shift wraps). */
TL_INLINE int32_t tl_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    return tl_divide_by_power_of_two(tl_doubling_high_mul(tl_wrap_shift_left(value, left), multiplier), right);
}

/** The same for the 64-bit accumulators of 16x8 kernels: one rounding with the multiplier reduced to 16 bits.
 *  value: -2^47..2^47-1; shift: -31..7. */
TL_INLINE int32_t tl_requantize_s64(int64_t value, int32_t multiplier, int32_t shift)
{
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const int32_t total_shift = 15 - shift;
    return (int32_t)((value * reduced + ((int64_t)1 << (total_shift - 1))) >> total_shift);
}

/** Four bytes at any address as one little-endian word (one LDR on Armv7-M, which allows unaligned access). */
TL_INLINE uint32_t tl_load_word(const void *source)
{
    uint32_t word;
    memcpy(&word, source, sizeof(word));
    return word;
}

TL_INLINE void tl_store_word(void *destination, uint32_t word)
{
    memcpy(destination, &word, sizeof(word));
}

#if defined(TL_USE_DSP)

/* clang-format off */
/* Each intrinsic is one instruction. Halfwords are written lo = bits 0..15, hi = bits 16..31, both signed. */
#if defined(TL_DSP_ASM)
#define TL_DSP_UNARY(name, instruction, tail)                          \
    TL_INLINE uint32_t name(uint32_t a)                                \
    {                                                                  \
        uint32_t result;                                               \
        __asm__(instruction " %0, %1" tail : "=r"(result) : "r"(a));   \
        return result;                                                 \
    }
#define TL_DSP_BINARY(name, instruction, tail, type)                             \
    TL_INLINE type name(uint32_t a, uint32_t b)                                  \
    {                                                                            \
        type result;                                                             \
        __asm__(instruction " %0, %1, %2" tail : "=r"(result) : "r"(a), "r"(b)); \
        return result;                                                           \
    }
#define TL_DSP_ACCUMULATE(name, instruction)                                                 \
    TL_INLINE int32_t name(uint32_t a, uint32_t b, int32_t sum)                              \
    {                                                                                        \
        int32_t result;                                                                      \
        __asm__(instruction " %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));    \
        return result;                                                                       \
    }
#else
TL_INLINE int32_t tl_lo(uint32_t a)
{
    return (int16_t)(a & 0xFFFFU);
}

TL_INLINE int32_t tl_hi(uint32_t a)
{
    return (int16_t)(a >> 16);
}

TL_INLINE uint32_t tl_halves(int32_t lo, int32_t hi)
{
    return ((uint32_t)lo & 0xFFFFU) | ((uint32_t)hi << 16);
}

#define TL_DSP_UNARY_C(name, expression)  \
    TL_INLINE uint32_t name(uint32_t a)   \
    {                                     \
        return (expression);              \
    }
#define TL_DSP_BINARY_C(name, type, expression)     \
    TL_INLINE type name(uint32_t a, uint32_t b)     \
    {                                               \
        return (type)(expression);                  \
    }
#define TL_DSP_ACCUMULATE_C(name, expression)                       \
    TL_INLINE int32_t name(uint32_t a, uint32_t b, int32_t sum)     \
    {                                                               \
        return (int32_t)((uint32_t)sum + (uint32_t)(expression));   \
    }
#endif

#if defined(TL_DSP_ASM)
TL_DSP_UNARY(tl_sxtb16, "sxtb16", "")              /* {byte 0, byte 2} sign-extended to halfwords */
TL_DSP_UNARY(tl_sxtb16_ror8, "sxtb16", ", ror #8") /* {byte 1, byte 3} */
TL_DSP_BINARY(tl_pkhbt, "pkhbt", ", lsl #16", uint32_t) /* {a.lo, b.lo} */
TL_DSP_BINARY(tl_pkhtb, "pkhtb", ", asr #16", uint32_t) /* {b.hi, a.hi} */
TL_DSP_BINARY(tl_sadd16, "sadd16", "", uint32_t)        /* {a.lo + b.lo, a.hi + b.hi} modulo 2^16 */
TL_DSP_BINARY(tl_ssub16, "ssub16", "", uint32_t)        /* {a.lo - b.lo, a.hi - b.hi} modulo 2^16 */
TL_DSP_BINARY(tl_smuad, "smuad", "", int32_t)           /* a.lo * b.lo + a.hi * b.hi */
TL_DSP_ACCUMULATE(tl_smlad, "smlad")                    /* sum + a.lo * b.lo + a.hi * b.hi */
TL_DSP_ACCUMULATE(tl_smlabb, "smlabb")                  /* sum + a.lo * b.lo */
TL_DSP_ACCUMULATE(tl_smlabt, "smlabt")                  /* sum + a.lo * b.hi */
TL_DSP_ACCUMULATE(tl_smlatb, "smlatb")                  /* sum + a.hi * b.lo */
TL_DSP_ACCUMULATE(tl_smlatt, "smlatt")                  /* sum + a.hi * b.hi */
#else
TL_DSP_UNARY_C(tl_sxtb16, tl_halves((int8_t)(a & 0xFFU), (int8_t)((a >> 16) & 0xFFU)))
TL_DSP_UNARY_C(tl_sxtb16_ror8, tl_halves((int8_t)((a >> 8) & 0xFFU), (int8_t)(a >> 24)))
TL_DSP_BINARY_C(tl_pkhbt, uint32_t, tl_halves(tl_lo(a), tl_lo(b)))
TL_DSP_BINARY_C(tl_pkhtb, uint32_t, tl_halves(tl_hi(b), tl_hi(a)))
TL_DSP_BINARY_C(tl_sadd16, uint32_t, tl_halves(tl_lo(a) + tl_lo(b), tl_hi(a) + tl_hi(b)))
TL_DSP_BINARY_C(tl_ssub16, uint32_t, tl_halves(tl_lo(a) - tl_lo(b), tl_hi(a) - tl_hi(b)))
TL_DSP_BINARY_C(tl_smuad, int32_t, (uint32_t)(tl_lo(a) * tl_lo(b)) + (uint32_t)(tl_hi(a) * tl_hi(b)))
TL_DSP_ACCUMULATE_C(tl_smlad, (uint32_t)(tl_lo(a) * tl_lo(b)) + (uint32_t)(tl_hi(a) * tl_hi(b)))
TL_DSP_ACCUMULATE_C(tl_smlabb, tl_lo(a) * tl_lo(b))
TL_DSP_ACCUMULATE_C(tl_smlabt, tl_lo(a) * tl_hi(b))
TL_DSP_ACCUMULATE_C(tl_smlatb, tl_hi(a) * tl_lo(b))
TL_DSP_ACCUMULATE_C(tl_smlatt, tl_hi(a) * tl_hi(b))
#endif

/* clang-format on */

/** sum + round(a * b / 2^32), ties up, modulo 2^32. */
TL_INLINE int32_t tl_smmlar(int32_t a, int32_t b, int32_t sum)
{
#if defined(TL_DSP_ASM)
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return tl_wrap_add(sum, (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32));
#endif
}

/** value saturated to -128..127. */
TL_INLINE int32_t tl_ssat8(int32_t value)
{
#if defined(TL_DSP_ASM)
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return tl_clamp(value, -128, 127);
#endif
}

/** value saturated to -32768..32767. */
TL_INLINE int32_t tl_ssat16(int32_t value)
{
#if defined(TL_DSP_ASM)
    int32_t result;
    __asm__("ssat %0, #16, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return tl_clamp(value, -32768, 32767);
#endif
}

/** sum + a.lo * b.lo + a.hi * b.hi in 64 bits: the accumulators of the 16x8 kernels. */
TL_INLINE int64_t tl_smlald(uint32_t a, uint32_t b, int64_t sum)
{
#if defined(TL_DSP_ASM)
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
#else
    return sum + (int64_t)tl_lo(a) * tl_lo(b) + (int64_t)tl_hi(a) * tl_hi(b);
#endif
}

#endif /* TL_USE_DSP */

/** round(a * b / 2^32), ties up; b >= 0. Where a product has 32 bits it is made of four. */
TL_INLINE int32_t tl_rounded_high_product(int32_t a, int32_t b)
{
#if defined(TL_THUMB1)
    const int32_t a_high = a >> 16, b_high = b >> 16;
    const uint32_t a_low = (uint32_t)a & 0xFFFFU, b_low = (uint32_t)b & 0xFFFFU;
    const uint32_t outer = a_low * (uint32_t)b_high;
    const int32_t inner = a_high * (int32_t)b_low;
    /* Bits 16 to 31 of the product and what they carry, rounded at bit 32. */
    const uint32_t middle = ((a_low * b_low) >> 16) + (outer & 0xFFFFU) + ((uint32_t)inner & 0xFFFFU) + 0x8000U;
    return a_high * b_high + (int32_t)(outer >> 16) + (inner >> 16) + (int32_t)(middle >> 16);
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/** Packed rescaling (see tl_convolution.h): TFLite's doubling high multiply and rounding shift of an accumulator given
 * twice, zero point added, saturated to int8. A tie of the rounding shift goes away from zero: that is what subtracting
 * 1 from negative values does. */
TL_INLINE int32_t tl_rescale_s8(int32_t twice_sum, int32_t multiplier, int32_t addend, int32_t shift)
{
#if defined(TL_USE_DSP)
    return tl_ssat8(tl_wrap_add(tl_smmlar(twice_sum, multiplier, addend), twice_sum >> 31) >> shift);
#else
    const int32_t rounded = tl_rounded_high_product(twice_sum, multiplier);
    return tl_clamp((rounded + addend + (twice_sum >> 31)) >> shift, -128, 127);
#endif
}

#ifdef __cplusplus
}
#endif
#endif
