/* SPDX-License-Identifier: MIT
 * One element of int8 ADD and SUB, as TFLite's reference computes it; not called by generated code. */
#ifndef TL_ADD_SUPPORT_H
#define TL_ADD_SUPPORT_H

#include "tl_basic_math.h"
#include "tl_support.h"

/** TFLite's left_shift for int8: head room for the rescaling. */
#define TL_ADD_LEFT_SHIFT 20

/**
 * TFLite's MultiplyByQuantizedMultiplier for a multiplier below one. |value| < 2^30; shift: -31..0. With DSP in a few
 * instructions:
 *  - SaturatingRoundingDoublingHighMul(a, b) = SMMULR(2a, b): both add half before the shift, ties go up.
 *  - RoundingDivideByPOT(x, e) = (x + 2^(e-1) - (x < 0)) >> e for e >= 1. |x| < 2^30, so the sum does not overflow.
 */
TL_INLINE int32_t tl_add_rescale(int32_t value, int32_t multiplier, int32_t shift)
{
#if defined(TL_USE_DSP)
    const int32_t half = (int32_t)((1U << -shift) >> 1);
    const int32_t tie_mask = shift < 0 ? -1 : 0;
    const int32_t product = tl_smmlar(value * 2, multiplier, 0);
    return (product + half + ((product >> 31) & tie_mask)) >> -shift;
#else
    return tl_divide_by_power_of_two(tl_doubling_high_mul(value, multiplier), -shift);
#endif
}

/** The narrow input on the common scale. */
TL_INLINE int32_t tl_add_scale_narrow(const tl_add_params *params, int32_t narrow)
{
    const int32_t shifted = (narrow + params->narrow_offset) * (1 << TL_ADD_LEFT_SHIFT);
    return tl_add_rescale(shifted, params->narrow_multiplier, params->narrow_shift);
}

/** The wide input on the common scale: halving is exact, as the low bits are zero. */
TL_INLINE int32_t tl_add_scale_wide(const tl_add_params *params, int32_t wide)
{
    return (wide + params->wide_offset) * (1 << (TL_ADD_LEFT_SHIFT - 1));
}

/** Sum or difference, rescaled to the output and clamped. */
TL_INLINE int8_t tl_add_finish(const tl_add_params *params, int32_t sum)
{
    const int32_t scaled = tl_add_rescale(sum, params->output_multiplier, params->output_shift);
    return (int8_t)tl_clamp(scaled + params->output_offset, params->activation.min, params->activation.max);
}

#endif
