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

/** One clamped output: sum plus bias[c], or plus nothing if bias is NULL. */
TL_INLINE float tl_finish_f32(float sum, const float *bias, int32_t c, const tl_activation_f32 *activation)
{
    return tl_clamp_f32(sum + (bias != NULL ? bias[c] : 0.0f), activation);
}

/* One step of the dot products below at element i of a run. All loads come first, since neighbouring loads may overlap; the products and
 * sums of different outputs alternate, since a result is late for the instruction right behind it (DDI 0439 3.3.2, 7.2.3). */
#define TL_STEP_1X4_F32(i)      \
    do {                        \
        const float a = x[i];   \
        const float v0 = w0[i]; \
        const float v1 = w1[i]; \
        const float v2 = w2[i]; \
        const float v3 = w3[i]; \
        s0 += a * v0;           \
        s1 += a * v1;           \
        s2 += a * v2;           \
        s3 += a * v3;           \
    } while (0)

#define TL_STEP_2X4_F32(i)      \
    do {                        \
        const float a = x[i];   \
        const float b = y[i];   \
        const float v0 = w0[i]; \
        const float v1 = w1[i]; \
        const float v2 = w2[i]; \
        const float v3 = w3[i]; \
        s0 += a * v0;           \
        s1 += a * v1;           \
        s2 += a * v2;           \
        s3 += a * v3;           \
        s4 += b * v0;           \
        s5 += b * v1;           \
        s6 += b * v2;           \
        s7 += b * v3;           \
    } while (0)

/** sum[c], c = 0..3: products of the input under the walk and the filter of output channel c, summed in the filter's order. */
TL_INLINE void tl_dot_1x4_f32(const tl_walk *walk, const float *input, const float *filter, float *sum)
{
    const int32_t size = walk->filter_size;
    float s0 = 0.0f;
    float s1 = 0.0f;
    float s2 = 0.0f;
    float s3 = 0.0f;
    for (int32_t row = 0; row < walk->rows; ++row) {
        const float *w0 = filter + row * walk->filter_row;
        for (int32_t run = 0; run < walk->runs; ++run) {
            const float *x = input + row * walk->input_row + run * walk->input_run;
            const float *w1 = w0 + size;
            const float *w2 = w1 + size;
            const float *w3 = w2 + size;
            int32_t count = walk->run_length;
            for (; count >= 4; count -= 4, x += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
                TL_STEP_1X4_F32(0);
                TL_STEP_1X4_F32(1);
                TL_STEP_1X4_F32(2);
                TL_STEP_1X4_F32(3);
            }
            for (; count > 0; --count, ++x, ++w0, ++w1, ++w2, ++w3) {
                TL_STEP_1X4_F32(0);
            }
        }
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

/** The same for two inputs: sum[0..3] of input_0, sum[4..7] of input_1. */
TL_INLINE void tl_dot_2x4_f32(const tl_walk *walk, const float *input_0, const float *input_1, const float *filter, float *sum)
{
    const int32_t size = walk->filter_size;
    float s0 = 0.0f;
    float s1 = 0.0f;
    float s2 = 0.0f;
    float s3 = 0.0f;
    float s4 = 0.0f;
    float s5 = 0.0f;
    float s6 = 0.0f;
    float s7 = 0.0f;
    for (int32_t row = 0; row < walk->rows; ++row) {
        const float *w0 = filter + row * walk->filter_row;
        for (int32_t run = 0; run < walk->runs; ++run) {
            const int32_t offset = row * walk->input_row + run * walk->input_run;
            const float *x = input_0 + offset;
            const float *y = input_1 + offset;
            const float *w1 = w0 + size;
            const float *w2 = w1 + size;
            const float *w3 = w2 + size;
            int32_t count = walk->run_length;
            for (; count >= 4; count -= 4, x += 4, y += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
                TL_STEP_2X4_F32(0);
                TL_STEP_2X4_F32(1);
                TL_STEP_2X4_F32(2);
                TL_STEP_2X4_F32(3);
            }
            for (; count > 0; --count, ++x, ++y, ++w0, ++w1, ++w2, ++w3) {
                TL_STEP_2X4_F32(0);
            }
        }
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

/** One output channel. */
TL_INLINE float tl_dot_1x1_f32(const tl_walk *walk, const float *input, const float *filter)
{
    float sum = 0.0f;
    for (int32_t row = 0; row < walk->rows; ++row) {
        const float *weights = filter + row * walk->filter_row;
        for (int32_t run = 0; run < walk->runs; ++run) {
            const float *x = input + row * walk->input_row + run * walk->input_run;
            for (int32_t i = walk->run_length; i > 0; --i) {
                sum += *x++ * *weights++;
            }
        }
    }
    return sum;
}

/**
 * Output channels [first, last) of one or two inputs that meet the same taps.
 * @param[in]  input_1   NULL for one
 * @param[in]  channels  from the outputs of input_0 to those of input_1
 */
void tl_dot_block_f32(const tl_activation_f32 *activation,
                      const tl_walk *walk,
                      const float *input_0,
                      const float *input_1,
                      const float *filter,
                      const float *bias,
                      int32_t first,
                      int32_t last,
                      int32_t channels,
                      float *output);

#ifdef __cplusplus
}
#endif
#endif
