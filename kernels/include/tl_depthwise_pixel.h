/* SPDX-License-Identifier: MIT
 * Sums of one output pixel of a depthwise convolution with one output channel per input channel, blocks of 4 channels:
 * a block's 4 channels of a tap are one word of input and one of weights, packed as for tl_depthwise_conv_s8. */
#ifndef TL_DEPTHWISE_PIXEL_H
#define TL_DEPTHWISE_PIXEL_H

#include "tl_depthwise_taps.h"

/** The part of a window that lies inside the input, and where its operands are. Steps and skips are in bytes; the
 * assembly addresses the members by their offset, 4 bytes each. */
typedef struct {
    const int8_t *values;  /* 0: first tap, of the next block */
    const int8_t *weights; /* 4 */
    const int32_t *biases; /* 8 */
    int32_t *sums;         /* 12 */
    int32_t blocks;        /* 16: that are left */
    int32_t rows;          /* 20: of taps, at least 1 */
    int32_t columns;       /* 24: at least 1 */
    int32_t row_skip;      /* 28: from behind a row's taps to the next one's first */
    int32_t weight_skip;   /* 32: the same in the weights */
    int32_t block_skip;    /* 36: from behind a block's weights to the next one's first */
    int32_t rows_left;     /* 40 */
    int32_t step;          /* 44: from tap to tap in the input */
} tl_depthwise_pixel;

#if defined(TL_ASM_LOOPS)
/* clang-format off */
#define TL_PIXEL_LOOP(add)                                                                                              \
    "ldr.w %[weights], [%[at], #4]\n .p2align 2\n"                                                                     \
    "2:\n ldr.w %[values], [%[at]]\n ldr.w %[by], [%[at], #8]\n ldr.w %[v], [%[at], #20]\n"                            \
    "add.w %[even], %[values], #4\n"                                                                                   \
    "ldr.w %[s0], [%[by]], #16\n ldr.w %[s1], [%[by], #-12]\n ldr.w %[s2], [%[by], #-8]\n ldr.w %[s3], [%[by], #-4]\n" \
    "str.w %[even], [%[at]]\n str.w %[by], [%[at], #8]\n"                                                              \
    "3:\n ldr.w %[taps], [%[at], #24]\n str.w %[v], [%[at], #40]\n"                                                    \
    TL_TAPS_LOOP(TL_TAPS_PACKED, add)                                                                                  \
    "ldr.w %[v], [%[at], #40]\n ldr.w %[even], [%[at], #28]\n ldr.w %[by], [%[at], #32]\n"                             \
    "add.w %[values], %[values], %[even]\n add.w %[weights], %[weights], %[by]\n subs.w %[v], %[v], #1\n bne 3b\n"     \
    "ldr.w %[by], [%[at], #12]\n ldr.w %[v], [%[at], #16]\n ldr.w %[w], [%[at], #36]\n"                                \
    "str.w %[s0], [%[by]], #16\n str.w %[s1], [%[by], #-12]\n str.w %[s2], [%[by], #-8]\n str.w %[s3], [%[by], #-4]\n" \
    "add.w %[weights], %[weights], %[w]\n str.w %[by], [%[at], #12]\n"                                                 \
    "subs.w %[v], %[v], #1\n str.w %[v], [%[at], #16]\n bne 2b\n"
#define TL_PIXEL_REGISTERS                                                                                             \
    [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [v] "=&r"(v), [w] "=&r"(w), [even] "=&r"(even),    \
    [by] "=&r"(by), [values] "=&r"(values), [weights] "=&r"(weights), [taps] "=&r"(taps)
/* clang-format on */
#endif

/** Biases and sums of taps, block by block; every value has `offset` added before it is multiplied. Neither writes what
 * the other reads; `at` moves on. */
static TL_NOINLINE void tl_depthwise_sum_pixel(tl_depthwise_pixel *at, int32_t offset)
{
#if defined(TL_ASM_LOOPS)
    const uint32_t offsets = ((uint32_t)offset & 0xFFFFU) * 0x00010001U;
    const int32_t step = at->step;
    int32_t s0, s1, s2, s3, taps;
    uint32_t v, w, even, by;
    const int8_t *values, *weights;
    /* clang-format off */
    if (offset == 0) {
        __asm__ volatile(TL_PIXEL_LOOP(TL_TAPS_PLAIN) : TL_PIXEL_REGISTERS : [at] "r"(at), [step] "r"(step) : "cc", "memory");
    } else {
        __asm__ volatile(TL_PIXEL_LOOP(TL_TAPS_OFFSET)
                         : TL_PIXEL_REGISTERS : [at] "r"(at), [step] "r"(step), [offsets] "r"(offsets) : "cc", "memory");
    }
    /* clang-format on */
#else
    const int8_t *weights = at->weights;
    for (; at->blocks > 0; at->blocks--) {
        const int8_t *values = at->values;
        int32_t *sums = at->sums;
        memcpy(sums, at->biases, 4 * sizeof(int32_t));
        for (int32_t row = 0; row < at->rows; row++) {
            for (int32_t column = 0; column < at->columns; column++) {
                for (int32_t c = 0; c < 4; c++) {
                    sums[c] = tl_wrap_add(sums[c], (values[c] + offset) * weights[c]);
                }
                values += at->step;
                weights += 4;
            }
            values += at->row_skip;
            weights += at->weight_skip;
        }
        weights += at->block_skip;
        at->values += 4;
        at->biases += 4;
        at->sums += 4;
    }
#endif
}

#endif
