/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_range.h. Everything in 32-bit instructions, so that aligned loops stay aligned. */
#include "tl_dynamic_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
#define RESCALE(x, saturate)                                                                            \
    "add " x ", %[bias], " x ", lsl #8\n smmulr " x ", " x ", %[multiplier]\n"                          \
    "smmlar " x ", " x ", %[by], %[zero_point]\n " saturate x "\n"
#define SIGNED(x) RESCALE(x, "ssat " x ", #8, ")
#define UNSIGNED(x) RESCALE(x, "usat " x ", #7, ")

#define ASM_OPERANDS                                                                                    \
    : [s0] "=&r"(s0), [s1] "=&r"(s1), [sums] "+r"(sums), [count] "+r"(count), [line_0] "+r"(line_0),    \
      [line_1] "+r"(line_1)                                                                             \
    : [step] "r"(step), [bias] "r"(bias), [multiplier] "r"(multiplier), [by] "r"(by), [zero_point] "r"(zero_point) \
    : "cc", "memory"

#define COLUMN(rescale)                                                                                 \
    "ldr.w %[s0], [%[sums]], #8\n ldr.w %[s1], [%[sums], #-4]\n" rescale("%[s0]") rescale("%[s1]")      \
    "strb.w %[s0], [%[line_0]]\n strb.w %[s1], [%[line_1]]\n"                                           \
    "add.w %[line_0], %[line_0], %[step]\n add.w %[line_1], %[line_1], %[step]\n"

/* Two columns of two lines per turn; an odd number of them begins in the middle. */
#define TWO_LINES(rescale)                                                                              \
    __asm__ volatile("tst.w %[count], #1\n bne 2f\n .p2align 2\n"                                       \
                     "1:\n" COLUMN(rescale) "2:\n" COLUMN(rescale)                                      \
                     "subs %[count], %[count], #2\n bgt 1b\n" ASM_OPERANDS)

/* Two columns of one line per turn; line_1 is a column ahead and step two of them. */
#define ONE_LINE(rescale)                                                                               \
    __asm__ volatile(".p2align 2\n 1:\n" COLUMN(rescale) "subs %[count], %[count], #2\n bne 1b\n" ASM_OPERANDS)
/* clang-format on */

#endif

/* bias: times 256. */
TL_INLINE int8_t
requantize(int32_t sum, int32_t bias, int32_t multiplier, const tl_dynamic_range *range, int32_t is_unsigned)
{
    const int32_t aligned = tl_smmulr(tl_wrap_add(bias, tl_wrap_shift_left(sum, 8)), multiplier);
    return tl_dynamic_q(is_unsigned ? tl_max(aligned, 0) : aligned, range->multiplier, range->zero_point);
}

void tl_dynamic_requantize_plane(const tl_dynamic_range *range,
                                 const tl_dynamic_channel *channel,
                                 const int32_t *sums,
                                 const tl_dynamic_plane *plane,
                                 int8_t *output)
{
    const int32_t bias = tl_wrap_shift_left(channel->bias, 8), multiplier = channel->multiplier;
    /* In the asymmetric scheme a RELU's zero is -128, where values saturate anyway. */
    const int32_t is_unsigned = channel->is_relu && !range->is_asymmetric;
#if defined(TL_ASM_LOOPS)
    const int32_t by = range->multiplier, zero_point = range->zero_point;
    int32_t s0, s1;
#endif
    int32_t lines = plane->lines;
    for (; plane->lines_at_once == 2 && lines > 1; lines -= 2) {
        const int32_t step = plane->run_step;
        int32_t count = plane->run;
        int8_t *line_0 = output, *line_1 = output + plane->line_step;
        output += 2 * plane->line_step;
#if defined(TL_ASM_LOOPS)
        if (is_unsigned) {
            TWO_LINES(UNSIGNED);
        } else {
            TWO_LINES(SIGNED);
        }
#else
        for (; count > 0; count--) {
            *line_0 = requantize(*sums++, bias, multiplier, range, is_unsigned);
            *line_1 = requantize(*sums++, bias, multiplier, range, is_unsigned);
            line_0 += step;
            line_1 += step;
        }
#endif
    }
    for (; lines > 0; lines--) {
        int32_t count = plane->run;
        int8_t *line_0 = output;
        output += plane->line_step;
#if defined(TL_ASM_LOOPS)
        const int32_t step = 2 * plane->run_step;
        int8_t *line_1 = line_0 + plane->run_step;
        count &= ~1;
        if (count > 0 && is_unsigned) {
            ONE_LINE(UNSIGNED);
        } else if (count > 0) {
            ONE_LINE(SIGNED);
        }
        count = plane->run & 1;
#endif
        for (; count > 0; count--) {
            *line_0 = requantize(*sums++, bias, multiplier, range, is_unsigned);
            line_0 += plane->run_step;
        }
    }
}
