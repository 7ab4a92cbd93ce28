/* SPDX-License-Identifier: MIT
 * What the float32 kernels share; not called by generated code. Several outputs are computed at once, so that loads and the latency of the
 * FPU's adder are shared, but every sum keeps its own order: reductions are never split or reordered. */
#ifndef TL_FLOAT_SUPPORT_H
#define TL_FLOAT_SUPPORT_H

#include "tl_float.h"
#include "tl_walk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** std::min(std::max(value, min), max): NaN passes. */
TL_INLINE float tl_clamp_f32(float value, const tl_activation_f32 *activation)
{
    const float raised = value < activation->min ? activation->min : value;
    return raised > activation->max ? activation->max : raised;
}

/** sum[c] += x[i] * weights[c * stride + i] for i = 0..count-1 in order, c = 0..3. */
TL_INLINE void tl_dot_1x4_f32(const float *x, const float *weights, int32_t stride, int32_t count, float *sum)
{
    const float *w0 = weights;
    const float *w1 = w0 + stride;
    const float *w2 = w1 + stride;
    const float *w3 = w2 + stride;
    float s0 = sum[0];
    float s1 = sum[1];
    float s2 = sum[2];
    float s3 = sum[3];
    for (int32_t i = count; i > 0; --i) {
        const float value = *x++;
        s0 += value * *w0++;
        s1 += value * *w1++;
        s2 += value * *w2++;
        s3 += value * *w3++;
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

/** tl_dot_1x4_f32 for two rows of values at once: sum[0..3] of x0, sum[4..7] of x1. */
TL_INLINE void tl_dot_2x4_f32(const float *x0, const float *x1, const float *weights, int32_t stride, int32_t count, float *sum)
{
    const float *w0 = weights;
    const float *w1 = w0 + stride;
    const float *w2 = w1 + stride;
    const float *w3 = w2 + stride;
    float s0 = sum[0];
    float s1 = sum[1];
    float s2 = sum[2];
    float s3 = sum[3];
    float s4 = sum[4];
    float s5 = sum[5];
    float s6 = sum[6];
    float s7 = sum[7];
    for (int32_t i = count; i > 0; --i) {
        const float a = *x0++;
        const float b = *x1++;
        const float v0 = *w0++;
        const float v1 = *w1++;
        s0 += a * v0;
        s4 += b * v0;
        s1 += a * v1;
        s5 += b * v1;
        const float v2 = *w2++;
        const float v3 = *w3++;
        s2 += a * v2;
        s6 += b * v2;
        s3 += a * v3;
        s7 += b * v3;
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    sum[4] = s4;
    sum[5] = s5;
    sum[6] = s6;
    sum[7] = s7;
}

/** sum + x[0] * weights[0] + x[1] * weights[1] + .. in order. */
TL_INLINE float tl_dot_1x1_f32(const float *x, const float *weights, int32_t count, float sum)
{
    for (int32_t i = count; i > 0; --i) {
        sum += *x++ * *weights++;
    }
    return sum;
}

#ifdef __cplusplus
}
#endif
#endif
