/* SPDX-License-Identifier: MIT
 * The body of the tl_dynamic_lines_* variants: a row of sums of one channel to output lines. Each variant defines
 * before it includes this: TL_VARIANT_SCAN      tl_scan_kind TL_VARIANT_SCAN_ASM  the same in assembly: value in x,
 * high in %[high], low (RANGE) or nothing in %[other] */
#ifndef TL_DYNAMIC_LINES_H
#define TL_DYNAMIC_LINES_H

#include "tl_dynamic_support.h"

#if defined(TL_ASM_LOOPS)
/* clang-format off */
#define TL_LINES_SCAN_BITS(x) "eor %[other], " x ", " x ", asr #31\n orr %[high], %[high], %[other]\n"
#define TL_LINES_SCAN_BITS_RELU(x) "bic " x ", " x ", " x ", asr #31\n orr %[high], %[high], " x "\n"
#define TL_LINES_SCAN_MAX(x) "cmp " x ", %[high]\n it gt\n movgt %[high], " x "\n"
#define TL_LINES_SCAN_RANGE(x) TL_LINES_SCAN_MAX(x) "cmp " x ", %[other]\n it lt\n movlt %[other], " x "\n"

#define TL_ALIGN_SUM(x) "add " x ", %[bias], " x ", lsl #8\n smmulr " x ", " x ", %[multiplier]\n"
#define TL_RESCALE_SUM(x) "smmlar " x ", " x ", %[by], %[zero_point]\n ssat " x ", #8, " x "\n"
/* clang-format on */
#endif

#endif

TL_INLINE int32_t align_sum(int32_t sum, int32_t shifted_bias, int32_t multiplier)
{
    return tl_smmulr(tl_wrap_add(shifted_bias, tl_wrap_shift_left(sum, 8)), multiplier);
}

#if defined(TL_ASM_LOOPS)
/* clang-format off */
/* One column of both lines per turn, count > 0. */
TL_INLINE void fast_lines(const int32_t *sums, int32_t count, int32_t bias, int32_t multiplier, int8_t *line_0, int8_t *line_1,
                          int32_t step, tl_dynamic_range *range)
{
    const int32_t *const end = sums + 2 * count;
    const int32_t by = range->multiplier, zero_point = range->zero_point;
    int32_t high = range->high, other = range->low, s0, s1;
    __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #8\n ldr %[s1], [%[sums], #-4]\n"
                     TL_ALIGN_SUM("%[s0]") TL_ALIGN_SUM("%[s1]") TL_VARIANT_SCAN_ASM("%[s0]") TL_VARIANT_SCAN_ASM("%[s1]")
                     TL_RESCALE_SUM("%[s0]") TL_RESCALE_SUM("%[s1]")
                     "strb %[s0], [%[line_0]]\n strb %[s1], [%[line_1]]\n ldr %[s0], %[end]\n"
                     "add %[line_0], %[line_0], %[step]\n add %[line_1], %[line_1], %[step]\n"
                     "cmp %[sums], %[s0]\n bne 1b\n"
                     : [s0] "=&r"(s0), [s1] "=&r"(s1), [sums] "+r"(sums), [high] "+r"(high), [other] "+r"(other),
                       [line_0] "+r"(line_0), [line_1] "+r"(line_1)
                     : [step] "r"(step), [bias] "r"(bias), [multiplier] "r"(multiplier), [by] "r"(by),
                       [zero_point] "r"(zero_point), [end] "m"(end)
                     : "cc", "memory");
    range->high = high;
    if (TL_VARIANT_SCAN == TL_SCAN_RANGE) {
        range->low = other;
    }
}
/* clang-format on */
#endif

TL_INLINE void store_lines(const int32_t *sums,
                           int32_t count,
                           int32_t bias,
                           int32_t multiplier,
                           int8_t *line_0,
                           int8_t *line_1,
                           int32_t step,
                           tl_dynamic_range *range)
{
    const int32_t shifted_bias = tl_wrap_shift_left(bias, 8);
    const int32_t by = range->multiplier, zero_point = range->zero_point;
    int32_t at = 0;
#if defined(TL_ASM_LOOPS)
    const int32_t fast = line_1 == NULL ? 0 : count;
    if (fast > 0) {
        fast_lines(sums, fast, shifted_bias, multiplier, line_0, line_1, step, range);
        sums += 2 * fast;
        at = fast * step;
        count -= fast;
    }
#endif
    int32_t low = range->low, high = range->high;
    for (; count > 0; count--) {
        const int32_t value_0 = align_sum(sums[0], shifted_bias, multiplier);
        line_0[at] = tl_dynamic_q(tl_scan(TL_VARIANT_SCAN, value_0, &low, &high), by, zero_point);
        if (line_1 != NULL) {
            const int32_t value_1 = align_sum(sums[1], shifted_bias, multiplier);
            line_1[at] = tl_dynamic_q(tl_scan(TL_VARIANT_SCAN, value_1, &low, &high), by, zero_point);
        }
        sums += 2;
        at += step;
    }
    range->low = low;
    range->high = high;
}
