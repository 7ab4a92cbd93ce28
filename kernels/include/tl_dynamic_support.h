/* SPDX-License-Identifier: MIT
 * Helpers of the dynamic kernels; not called by generated code. Divisions happen a few times per layer, never per
 * element. */
#ifndef TL_DYNAMIC_SUPPORT_H
#define TL_DYNAMIC_SUPPORT_H

#include "tl_dynamic.h"
#include "tl_support.h"

/** Largest aligned value and bound. */
#define TL_RANGE_MAX (1 << 30)

/** round(a * b / 2^32), ties up. */
TL_INLINE int32_t tl_smmulr(int32_t a, int32_t b)
{
#if defined(TL_DSP_ASM)
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/** addend + round(a * b / 2^32) saturated to int8. */
TL_INLINE int8_t tl_dynamic_q(int32_t a, int32_t multiplier, int32_t addend)
{
#if defined(TL_USE_DSP)
    return (int8_t)tl_ssat8(tl_smmlar(a, multiplier, addend));
#else
    return (int8_t)tl_clamp(tl_smmulr(a, multiplier) + addend, -128, 127);
#endif
}

/** The same after RELU in the Q scheme, whose zero point is 0. */
TL_INLINE int8_t tl_dynamic_q_relu(int32_t a, int32_t multiplier)
{
#if defined(TL_DSP_ASM)
    int32_t result;
    __asm__("usat %0, #7, %1" : "=r"(result) : "r"(tl_smmulr(a, multiplier)));
    return (int8_t)result;
#else
    return (int8_t)tl_clamp(tl_smmulr(a, multiplier), 0, 127);
#endif
}

/** Bits of a value, 0 for 0. */
TL_INLINE int32_t tl_bit_length(uint64_t value)
{
#if defined(__GNUC__)
    return value == 0 ? 0 : 64 - __builtin_clzll(value);
#else
    int32_t bits = 0;
    for (; value != 0; value >>= 1) {
        bits++;
    }
    return bits;
#endif
}

/** 2^61 / multiplier. */
TL_INLINE uint32_t tl_reciprocal(int32_t multiplier)
{
    /* Powers of two, which is all that the Q scheme has, need no division. */
    return multiplier == (1 << 30) ? 0x80000000U : (uint32_t)(((uint64_t)1 << 61) / (uint32_t)multiplier);
}

/** value * (multiplier * 2^shift) / (to_multiplier * 2^to_shift), rounded down, within +-2^29. */
TL_INLINE int32_t
tl_rescale_units(int32_t value, int32_t multiplier, int32_t shift, int32_t to_multiplier, int32_t to_shift)
{
    const int32_t limit = 1 << 29;
    const int32_t right = 30 - (shift - to_shift);
    const int64_t ratio = multiplier == to_multiplier
                              ? (int64_t)1 << 30
                              : (int64_t)(((uint64_t)(uint32_t)multiplier << 30) / (uint32_t)to_multiplier);
    if (value == 0) {
        return 0;
    }
    if (right <= 0) {
        return value < 0 ? -limit : limit;
    }
    const int64_t scaled = (value * ratio) >> tl_min(right, 63);
    return scaled > limit ? limit : scaled < -limit ? -limit : (int32_t)scaled;
}

/** One aligned value into the range, and as RELU of the Q scheme leaves it. The kinds are known to each kernel when it
 * is compiled. */
typedef enum { TL_SCAN_BITS, TL_SCAN_BITS_RELU, TL_SCAN_RANGE, TL_SCAN_MAX } tl_scan_kind;

TL_INLINE int32_t tl_scan(tl_scan_kind kind, int32_t value, int32_t *low, int32_t *high)
{
    switch (kind) {
    case TL_SCAN_BITS:
        *high |= value ^ (value >> 31);
        return value;
    case TL_SCAN_BITS_RELU:
        value &= ~(value >> 31);
        *high |= value;
        return value;
    case TL_SCAN_RANGE:
        *high = tl_max(*high, value);
        *low = tl_min(*low, value);
        return value;
    case TL_SCAN_MAX:
        *high = tl_max(*high, value);
        return value;
    }
    return value;
}

/** The kind of a layer, for kernels that are not compiled for one. */
TL_INLINE tl_scan_kind tl_scan_kind_of(const tl_dynamic_params *dynamic)
{
    if (dynamic->is_asymmetric) {
        return dynamic->is_relu ? TL_SCAN_MAX : TL_SCAN_RANGE;
    }
    return dynamic->is_relu ? TL_SCAN_BITS_RELU : TL_SCAN_BITS;
}

/** Whether what has been seen is more than what the requantization holds. */
TL_INLINE int32_t tl_dynamic_is_exceeded(const tl_dynamic_range *range)
{
    return tl_min(range->high, range->upper) > range->covered_high || range->low < range->covered_low;
}

#endif
