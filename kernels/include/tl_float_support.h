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

/** Four clamped outputs: sum[k] plus bias[k], or plus nothing if bias is NULL. */
TL_INLINE void tl_finish_4_f32(const float *sum, const float *bias, const tl_activation_f32 *activation, float *output)
{
    const float b0 = bias != NULL ? bias[0] : 0.0f;
    const float b1 = bias != NULL ? bias[1] : 0.0f;
    const float b2 = bias != NULL ? bias[2] : 0.0f;
    const float b3 = bias != NULL ? bias[3] : 0.0f;
    const tl_activation_f32 clamp = *activation;
    output[0] = tl_clamp_f32(sum[0] + b0, &clamp);
    output[1] = tl_clamp_f32(sum[1] + b1, &clamp);
    output[2] = tl_clamp_f32(sum[2] + b2, &clamp);
    output[3] = tl_clamp_f32(sum[3] + b3, &clamp);
}

/* Between the steps of the largest block: it fills the FPU's registers, and loads moved ahead of the step before would spill them. */
#if defined(__GNUC__)
#define TL_KEEP_ORDER() __asm__ volatile("" ::: "memory")
#else
#define TL_KEEP_ORDER() ((void)0)
#endif

/* One step of the dot products below at element i of a run. All loads come first, since neighbouring loads may overlap; the products and
 * sums of different outputs alternate, since a result is late for the instruction right behind it (DDI 0439 3.3.2, 7.2.3). */
#define TL_STEP_1X4_F32(i)      \
    do {                        \
        const float v0 = w0[i]; \
        const float v1 = w1[i]; \
        const float v2 = w2[i]; \
        const float v3 = w3[i]; \
        const float a0 = x0[i]; \
        s0 += a0 * v0;          \
        s1 += a0 * v1;          \
        s2 += a0 * v2;          \
        s3 += a0 * v3;          \
    } while (0)

#define TL_STEP_2X4_F32(i)      \
    do {                        \
        const float v0 = w0[i]; \
        const float v1 = w1[i]; \
        const float v2 = w2[i]; \
        const float v3 = w3[i]; \
        const float a0 = x0[i]; \
        const float a1 = x1[i]; \
        s0 += a0 * v0;          \
        s1 += a0 * v1;          \
        s2 += a0 * v2;          \
        s3 += a0 * v3;          \
        s4 += a1 * v0;          \
        s5 += a1 * v1;          \
        s6 += a1 * v2;          \
        s7 += a1 * v3;          \
    } while (0)

#define TL_STEP_4X4_F32(i)      \
    do {                        \
        const float v0 = w0[i]; \
        const float v1 = w1[i]; \
        const float v2 = w2[i]; \
        const float v3 = w3[i]; \
        const float a0 = x0[i]; \
        const float a1 = x1[i]; \
        const float a2 = x2[i]; \
        const float a3 = x3[i]; \
        s0 += a0 * v0;          \
        s1 += a0 * v1;          \
        s2 += a0 * v2;          \
        s3 += a0 * v3;          \
        s4 += a1 * v0;          \
        s5 += a1 * v1;          \
        s6 += a1 * v2;          \
        s7 += a1 * v3;          \
        s8 += a2 * v0;          \
        s9 += a2 * v1;          \
        s10 += a2 * v2;         \
        s11 += a2 * v3;         \
        s12 += a3 * v0;         \
        s13 += a3 * v1;         \
        s14 += a3 * v2;         \
        s15 += a3 * v3;         \
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
            const float *x0 = input + row * walk->input_row + run * walk->input_run;
            const float *w1 = w0 + size;
            const float *w2 = w1 + size;
            const float *w3 = w2 + size;
            int32_t count = walk->run_length;
            for (; count >= 4; count -= 4, x0 += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
                TL_STEP_1X4_F32(0);
                TL_STEP_1X4_F32(1);
                TL_STEP_1X4_F32(2);
                TL_STEP_1X4_F32(3);
            }
            for (; count > 0; --count, ++x0, ++w0, ++w1, ++w2, ++w3) {
                TL_STEP_1X4_F32(0);
            }
        }
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

/** The same for two inputs, input_step apart: sum[0..3] of the first, sum[4..7] of the second. */
TL_INLINE void tl_dot_2x4_f32(const tl_walk *walk, const float *input, int32_t input_step, const float *filter, float *sum)
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
            const float *x0 = input + row * walk->input_row + run * walk->input_run;
            const float *x1 = x0 + input_step;
            const float *w1 = w0 + size;
            const float *w2 = w1 + size;
            const float *w3 = w2 + size;
            int32_t count = walk->run_length;
            for (; count >= 4; count -= 4, x0 += 4, x1 += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
                TL_STEP_2X4_F32(0);
                TL_STEP_2X4_F32(1);
                TL_STEP_2X4_F32(2);
                TL_STEP_2X4_F32(3);
            }
            for (; count > 0; --count, ++x0, ++x1, ++w0, ++w1, ++w2, ++w3) {
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

/** The same for four inputs. */
TL_INLINE void tl_dot_4x4_f32(const tl_walk *walk, const float *input, int32_t input_step, const float *filter, float *sum)
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
    float s8 = 0.0f;
    float s9 = 0.0f;
    float s10 = 0.0f;
    float s11 = 0.0f;
    float s12 = 0.0f;
    float s13 = 0.0f;
    float s14 = 0.0f;
    float s15 = 0.0f;
    for (int32_t row = 0; row < walk->rows; ++row) {
        const float *w0 = filter + row * walk->filter_row;
        for (int32_t run = 0; run < walk->runs; ++run) {
            const float *x0 = input + row * walk->input_row + run * walk->input_run;
            const float *x1 = x0 + input_step;
            const float *x2 = x1 + input_step;
            const float *x3 = x2 + input_step;
            const float *w1 = w0 + size;
            const float *w2 = w1 + size;
            const float *w3 = w2 + size;
            int32_t count = walk->run_length;
            for (; count >= 4; count -= 4) {
                TL_STEP_4X4_F32(0);
                TL_KEEP_ORDER();
                TL_STEP_4X4_F32(1);
                TL_KEEP_ORDER();
                TL_STEP_4X4_F32(2);
                TL_KEEP_ORDER();
                TL_STEP_4X4_F32(3);
                x0 += 4;
                x1 += 4;
                x2 += 4;
                x3 += 4;
                w0 += 4;
                w1 += 4;
                w2 += 4;
                w3 += 4;
            }
            for (; count > 0; --count, ++x0, ++x1, ++x2, ++x3, ++w0, ++w1, ++w2, ++w3) {
                TL_STEP_4X4_F32(0);
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
    sum[8] = s8;
    sum[9] = s9;
    sum[10] = s10;
    sum[11] = s11;
    sum[12] = s12;
    sum[13] = s13;
    sum[14] = s14;
    sum[15] = s15;
}

/** One input, one output channel. */
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

/** Most inputs of one block. */
#define TL_BLOCK_INPUTS_F32 4

/** Inputs that meet the same taps, and the output channels [first, last) to compute of each. */
typedef struct {
    const float *input;
    int32_t inputs;      /* 1, 2 or 4 */
    int32_t input_step;  /* from one input to the next */
    int32_t output_step; /* from the outputs of one input to those of the next */
    int32_t first;
    int32_t last;
} tl_block_f32;

/** output: channel 0 of the first input. */
void tl_dot_block_f32(const tl_activation_f32 *activation,
                      const tl_walk *walk,
                      const tl_block_f32 *block,
                      const float *filter,
                      const float *bias,
                      float *output);

#ifdef __cplusplus
}
#endif
#endif
