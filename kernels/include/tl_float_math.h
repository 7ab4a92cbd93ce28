/* SPDX-License-Identifier: MIT
 * exp, logistic and tanh in single precision with a fixed order of operations: the same steps as firmware-gen/reference/float-math.ts, so
 * both give the same bits, unlike libm. Needs -ffp-contract=off: no product and sum may be fused. Polynomials: minimax fits published with
 * the Cephes library (S. Moshier, expf and tanhf). Subnormal results are flushed to zero. Constants are the shortest decimals of the
 * float32 values that the TypeScript rounds to. */
#ifndef TL_FLOAT_MATH_H
#define TL_FLOAT_MATH_H

#include <math.h>

#include "tl_support.h"

#ifdef __cplusplus
extern "C" {
#endif

/** 2^exponent. exponent: -126..127. */
TL_INLINE float tl_power_of_two_f32(int32_t exponent)
{
    const int32_t bits = (exponent + 127) * (1 << 23);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/** e^x, below 1 ulp off, flushed to zero below 2^-126. NaN gives NaN. */
TL_INLINE float tl_exp_f32(float x)
{
    /* 1.5 * 2^23: adding it leaves the nearest integer (ties to even) in the low mantissa bits. */
    const float round_magic = 12582912.0f;
    const int32_t round_magic_bits = 0x4b400000;
    float shifted;
    int32_t exponent;

    if (x != x) {
        return x;
    }
    if (x > 88.72283f) {
        return INFINITY;
    }
    if (x < -87.33654f) {
        return 0.0f;
    }
    shifted = x * 1.4426950f + round_magic;
    memcpy(&exponent, &shifted, sizeof(exponent));
    exponent -= round_magic_bits;
    /* ln 2 in two parts; the high one has 9 significant bits, so its product is exact. */
    const float k = shifted - round_magic;
    float r = x - k * 0.693359375f;
    r = r - k * -2.1219444e-4f;
    float p = 1.9875691e-4f;
    p = p * r + 1.3981999e-3f;
    p = p * r + 8.3334519e-3f;
    p = p * r + 4.1665796e-2f;
    p = p * r + 1.6666666e-1f;
    p = p * r + 5.0000001e-1f;
    const float y = p * (r * r) + r + 1.0f;
    /* 2^128 is not a float32: at the top the last doubling is a step of its own. */
    return exponent > 127 ? y * tl_power_of_two_f32(127) * 2.0f : y * tl_power_of_two_f32(exponent);
}

/** 1 / (1 + e^-x), to 2^-13 relative below -9 (as TFLite) and 2 ulp elsewhere. NaN gives NaN. */
TL_INLINE float tl_logistic_one_f32(float x)
{
    if (x > 16.619047f) {
        return 1.0f;
    }
    if (x < -9.0f) {
        return tl_exp_f32(x);
    }
    return 1.0f / (1.0f + tl_exp_f32(-x));
}

/** tanh, below 1.5 ulp off; exactly odd, except that -0 gives 0. NaN gives NaN. */
TL_INLINE float tl_tanh_one_f32(float x)
{
    const float magnitude = x < 0.0f ? -x : x;
    if (magnitude < 0.625f) {
        const float z = x * x;
        float p = -5.7049887e-3f;
        p = p * z + 2.0639088e-2f;
        p = p * z + -5.3739716e-2f;
        p = p * z + 1.3331442e-1f;
        p = p * z + -3.3333282e-1f;
        return p * z * x + x;
    }
    /* From here on tanh rounds to 1 in float32. */
    if (magnitude >= 9.5f) {
        return x > 0.0f ? 1.0f : -1.0f;
    }
    const float y = 1.0f - 2.0f / (tl_exp_f32(magnitude + magnitude) + 1.0f);
    return x < 0.0f ? -y : y;
}

#ifdef __cplusplus
}
#endif
#endif
