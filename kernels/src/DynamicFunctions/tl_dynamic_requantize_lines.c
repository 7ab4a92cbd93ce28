/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_range.h. */
#include "tl_dynamic_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
#define RESCALE(x, saturate)                                                                            \
    "add " x ", %[bias], " x ", lsl #8\n smmulr " x ", " x ", %[multiplier]\n"                          \
    "smmlar " x ", " x ", %[by], %[zero_point]\n " saturate x "\n"
#define SIGNED(x) RESCALE(x, "ssat " x ", #8, ")
#define UNSIGNED(x) RESCALE(x, "usat " x ", #7, ")

#define ASM_OPERANDS                                                                                    \
    : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [sums] "+r"(sums), [count] "+r"(count), \
      [line_0] "+r"(line_0), [line_1] "+r"(line_1)                                                      \
    : [step] "r"(step), [bias] "r"(bias), [multiplier] "r"(multiplier), [by] "r"(by), [zero_point] "r"(zero_point) \
    : "cc", "memory"

/* Two columns of two lines per turn. */
#define TWO_LINES(rescale)                                                                              \
    __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #16\n ldr %[s1], [%[sums], #-12]\n"                    \
                     "ldr %[s2], [%[sums], #-8]\n ldr %[s3], [%[sums], #-4]\n"                          \
                     rescale("%[s0]") rescale("%[s1]") rescale("%[s2]") rescale("%[s3]")                \
                     "strb %[s0], [%[line_0]]\n strb %[s1], [%[line_1]]\n"                              \
                     "strb %[s2], [%[line_0], %[step]]\n strb %[s3], [%[line_1], %[step]]\n"            \
                     "add %[line_0], %[line_0], %[step], lsl #1\n add %[line_1], %[line_1], %[step], lsl #1\n" \
                     "subs %[count], %[count], #2\n bne 1b\n" ASM_OPERANDS)

/* Four columns of one line per turn; line_1 runs two columns ahead. */
#define ONE_LINE(rescale)                                                                               \
    __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #16\n ldr %[s1], [%[sums], #-12]\n"                    \
                     "ldr %[s2], [%[sums], #-8]\n ldr %[s3], [%[sums], #-4]\n"                          \
                     rescale("%[s0]") rescale("%[s1]") rescale("%[s2]") rescale("%[s3]")                \
                     "strb %[s0], [%[line_0]]\n strb %[s1], [%[line_0], %[step]]\n"                     \
                     "strb %[s2], [%[line_1]]\n strb %[s3], [%[line_1], %[step]]\n"                     \
                     "add %[line_0], %[line_0], %[step], lsl #2\n add %[line_1], %[line_1], %[step], lsl #2\n" \
                     "subs %[count], %[count], #4\n bne 1b\n" ASM_OPERANDS)
/* clang-format on */

#endif

TL_INLINE int8_t
requantize(int32_t sum, int32_t bias, int32_t multiplier, const tl_dynamic_range *range, int32_t is_unsigned)
{
    const int32_t aligned = tl_smmulr(tl_wrap_add(bias, tl_wrap_shift_left(sum, 8)), multiplier);
    return tl_dynamic_q(is_unsigned ? tl_max(aligned, 0) : aligned, range->multiplier, range->zero_point);
}

void tl_dynamic_requantize_lines(const tl_dynamic_range *range,
                                 const tl_dynamic_channel *channel,
                                 const int32_t *sums,
                                 int32_t count,
                                 int8_t *line_0,
                                 int8_t *line_1,
                                 int32_t step)
{
    const int32_t bias = tl_wrap_shift_left(channel->bias, 8), multiplier = channel->multiplier;
    /* In the asymmetric scheme a RELU's zero is -128, where values saturate anyway. */
    const int32_t is_unsigned = channel->is_relu && !range->is_asymmetric;
    const int32_t is_single = line_1 == NULL;
#if defined(TL_ASM_LOOPS)
    const int32_t by = range->multiplier, zero_point = range->zero_point;
    const int32_t rest = count & (is_single ? 3 : 1);
    count -= rest;
    if (count > 0) {
        int32_t s0, s1, s2, s3;
        if (is_single) {
            line_1 = line_0 + 2 * step;
            if (is_unsigned) {
                ONE_LINE(UNSIGNED);
            } else {
                ONE_LINE(SIGNED);
            }
        } else if (is_unsigned) {
            TWO_LINES(UNSIGNED);
        } else {
            TWO_LINES(SIGNED);
        }
    }
    count = rest;
#endif
    for (; count > 0; count--) {
        *line_0 = requantize(*sums++, bias, multiplier, range, is_unsigned);
        line_0 += step;
        if (!is_single) {
            *line_1 = requantize(*sums++, bias, multiplier, range, is_unsigned);
            line_1 += step;
        }
    }
}
