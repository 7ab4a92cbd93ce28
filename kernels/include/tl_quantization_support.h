/* SPDX-License-Identifier: MIT
 * Rounding of float QUANTIZE, shared by its output types; not called by generated code. */
#ifndef TL_QUANTIZATION_SUPPORT_H
#define TL_QUANTIZATION_SUPPORT_H

#include "tl_quantization.h"
#include "tl_support.h"

/** Quotients beyond this saturate every 8-bit type at every zero point; within it, conversion is defined and fractions
 * are exact. */
#define TL_QUOTIENT_LIMIT 1024.0F

/**
 * value / scale rounded half away from zero; NaN gives 0. Without the library's roundf: after truncation the fraction
 * is exact, and decides. The result is limited to +-TL_QUOTIENT_LIMIT.
 */
TL_INLINE int32_t tl_rounded_quotient(float value, float scale)
{
    float quotient = value / scale;
    if (quotient != quotient) {
        return 0;
    }
    quotient = quotient < -TL_QUOTIENT_LIMIT ? -TL_QUOTIENT_LIMIT : quotient;
    quotient = quotient > TL_QUOTIENT_LIMIT ? TL_QUOTIENT_LIMIT : quotient;
    const int32_t whole = (int32_t)quotient;
    const float fraction = quotient - (float)whole;
    return whole + (fraction >= 0.5F) - (fraction <= -0.5F);
}

#endif
