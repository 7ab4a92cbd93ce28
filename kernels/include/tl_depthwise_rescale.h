/* SPDX-License-Identifier: MIT
 * The second loop of the strip kernels: rows of sums to lines of int8 output, one channel at a time with its constants
 * in registers. Sums are int32 pairs {of the first line, of the second} per column. */
#ifndef TL_DEPTHWISE_RESCALE_H
#define TL_DEPTHWISE_RESCALE_H

#include "tl_support.h"

/** {bias, multiplier, addend, shift} of a channel, the bias twice. */
typedef struct {
    int32_t twice_bias;
    int32_t multiplier;
    int32_t addend;
    int32_t shift;
} tl_channel_rescaling;

TL_INLINE tl_channel_rescaling tl_channel_constants(const int32_t *constants)
{
    const tl_channel_rescaling rescaling = {tl_wrap_add(constants[0], constants[0]),
                                            constants[1],
                                            constants[2],
                                            constants[3]};
    return rescaling;
}

TL_INLINE int8_t tl_rescale_sum(int32_t sum, const tl_channel_rescaling *by)
{
    return (
        int8_t)tl_rescale_s8(tl_wrap_add(by->twice_bias, tl_wrap_add(sum, sum)), by->multiplier, by->addend, by->shift);
}

#if defined(TL_ASM_LOOPS)
/* clang-format off */
/* tl_rescale_sum into %[value], then to the line, `step` bytes on. */
#define TL_RESCALE_AND_STORE(sum, line)                                                                            \
    "add.w " sum ", %[twice_bias], " sum ", lsl #1\n smmlar %[value], " sum ", %[multiplier], %[addend]\n"            \
    "add.w %[value], %[value], " sum ", asr #31\n asr %[value], %[value], %[shift]\n ssat %[value], #8, %[value]\n" \
    "strb.w %[value], [" line "]\n add.w " line ", " line ", %[step]\n"
#define TL_RESCALE_INPUTS                                                                                          \
    [step] "r"(step), [twice_bias] "r"(by.twice_bias), [multiplier] "r"(by.multiplier), [addend] "r"(by.addend),   \
    [shift] "r"(by.shift)
/* clang-format on */
#endif

/** Two output lines of one channel. */
TL_INLINE void tl_rescale_two_lines(
    const int32_t *sums, int32_t count, const int32_t *constants, int8_t *line_0, int8_t *line_1, int32_t step)
{
    const tl_channel_rescaling by = tl_channel_constants(constants);
#if defined(TL_RESCALE_INPUTS)
    if (count > 1) {
        int32_t s0, s1, s2, s3, value;
        count -= 2;
        /* clang-format off */
        /* Two columns per turn. The loads come in a run, so that all but the first take one cycle. */
        __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #16\n ldr %[s1], [%[sums], #-12]\n"
                         "ldr %[s2], [%[sums], #-8]\n ldr %[s3], [%[sums], #-4]\n"
                         TL_RESCALE_AND_STORE("%[s0]", "%[line_0]") TL_RESCALE_AND_STORE("%[s1]", "%[line_1]")
                         TL_RESCALE_AND_STORE("%[s2]", "%[line_0]") TL_RESCALE_AND_STORE("%[s3]", "%[line_1]")
                         "subs.w %[count], %[count], #2\n bge 1b\n"
                         : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [value] "=&r"(value),
                           [sums] "+r"(sums), [line_0] "+r"(line_0), [line_1] "+r"(line_1), [count] "+r"(count)
                         : TL_RESCALE_INPUTS
                         : "cc", "memory");
        /* clang-format on */
        count += 2;
    }
#endif
    for (; count > 0; count--) {
        *line_0 = tl_rescale_sum(sums[0], &by);
        *line_1 = tl_rescale_sum(sums[1], &by);
        sums += 2;
        line_0 += step;
        line_1 += step;
    }
}

/** One output line of one channel: the first of each pair of sums. */
TL_INLINE void tl_rescale_line(const int32_t *sums, int32_t count, const int32_t *constants, int8_t *line, int32_t step)
{
    const tl_channel_rescaling by = tl_channel_constants(constants);
#if defined(TL_RESCALE_INPUTS)
    if (count > 1) {
        int32_t s0, s1, value;
        count -= 2;
        /* clang-format off */
        __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #16\n ldr %[s1], [%[sums], #-8]\n"
                         TL_RESCALE_AND_STORE("%[s0]", "%[line]") TL_RESCALE_AND_STORE("%[s1]", "%[line]")
                         "subs.w %[count], %[count], #2\n bge 1b\n"
                         : [s0] "=&r"(s0), [s1] "=&r"(s1), [value] "=&r"(value), [sums] "+r"(sums), [line] "+r"(line),
                           [count] "+r"(count)
                         : TL_RESCALE_INPUTS
                         : "cc", "memory");
        /* clang-format on */
        count += 2;
    }
#endif
    for (; count > 0; count--) {
        *line = tl_rescale_sum(sums[0], &by);
        sums += 2;
        line += step;
    }
}

#endif
