/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. Eight sums at a time: loads in a run, of which all but the first take one cycle. */
#include "tl_dynamic_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
#define LOAD_EIGHT                                                                                     \
    "ldr %[s0], [%[sums]], #32\n ldr %[s1], [%[sums], #-28]\n ldr %[s2], [%[sums], #-24]\n"            \
    "ldr %[s3], [%[sums], #-20]\n ldr %[s4], [%[sums], #-16]\n ldr %[s5], [%[sums], #-12]\n"           \
    "ldr %[s6], [%[sums], #-8]\n ldr %[s7], [%[sums], #-4]\n"
#define RESCALE(sum) "smmlar " sum ", " sum ", %[multiplier], %[zero_point]\n ssat " sum ", #8, " sum "\n"
/* Four values 0..128 in s0..s3 to a word: one can only be 128 by rounding, and becomes 127. */
#define PACK(a, b, c, d)                                                                               \
    "smmulr " a ", " a ", %[multiplier]\n smmulr " b ", " b ", %[multiplier]\n"                          \
    "smmulr " c ", " c ", %[multiplier]\n smmulr " d ", " d ", %[multiplier]\n"                          \
    "pkhbt " a ", " a ", " c ", lsl #16\n pkhbt " b ", " b ", " d ", lsl #16\n"                          \
    "orr " a ", " a ", " b ", lsl #8\n and " b ", %[ones], " a ", lsr #7\n sub " a ", " a ", " b "\n"
#define STORE_EIGHT                                                                                    \
    "strb %[s0], [%[output]], #8\n strb %[s1], [%[output], #-7]\n strb %[s2], [%[output], #-6]\n"      \
    "strb %[s3], [%[output], #-5]\n strb %[s4], [%[output], #-4]\n strb %[s5], [%[output], #-3]\n"     \
    "strb %[s6], [%[output], #-2]\n strb %[s7], [%[output], #-1]\n"

/* Multiples of 8 sums. */
static void requantize_eights(const int32_t *sums, int8_t *output, int32_t count, int32_t multiplier, int32_t zero_point)
{
    const int8_t *const end = output + count;
    int32_t s0, s1, s2, s3, s4, s5, s6, s7;
    __asm__ volatile(".p2align 2\n 1:\n" LOAD_EIGHT
                     RESCALE("%[s0]") RESCALE("%[s1]") RESCALE("%[s2]") RESCALE("%[s3]")
                     RESCALE("%[s4]") RESCALE("%[s5]") RESCALE("%[s6]") RESCALE("%[s7]")
                     STORE_EIGHT "cmp %[output], %[end]\n bne 1b\n"
                     : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), [s5] "=&r"(s5),
                       [s6] "=&r"(s6), [s7] "=&r"(s7), [sums] "+r"(sums), [output] "+r"(output)
                     : [multiplier] "r"(multiplier), [zero_point] "r"(zero_point), [end] "r"(end)
                     : "cc", "memory");
}
/* clang-format on */

/* clang-format off */
/* The same where no sum is negative and the zero point is 0. */
static void requantize_nonnegative(const int32_t *sums, int8_t *output, int32_t count, int32_t multiplier)
{
    const int8_t *const end = output + count;
    int32_t s0, s1, s2, s3, s4, s5, s6, s7;
    __asm__ volatile(".p2align 2\n 1:\n" LOAD_EIGHT
                     PACK("%[s0]", "%[s1]", "%[s2]", "%[s3]") PACK("%[s4]", "%[s5]", "%[s6]", "%[s7]")
                     "str %[s0], [%[output]], #8\n str %[s4], [%[output], #-4]\n cmp %[output], %[end]\n bne 1b\n"
                     : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), [s5] "=&r"(s5),
                       [s6] "=&r"(s6), [s7] "=&r"(s7), [sums] "+r"(sums), [output] "+r"(output)
                     : [multiplier] "r"(multiplier), [ones] "r"(0x01010101), [end] "r"(end)
                     : "cc", "memory");
}
/* clang-format on */

#endif

void tl_dynamic_requantize(
    const tl_dynamic_range *range, const int32_t *sums, int8_t *output, int32_t count, int32_t is_relu)
{
    const int32_t multiplier = range->multiplier, zero_point = range->zero_point;
#if defined(TL_ASM_LOOPS)
    const int32_t eights = count & ~7;
    if (eights > 0) {
        if (is_relu && !range->is_asymmetric && range->upper == TL_RANGE_MAX) {
            requantize_nonnegative(sums, output, eights, multiplier);
        } else {
            requantize_eights(sums, output, eights, multiplier, zero_point);
        }
        sums += eights;
        output += eights;
        count -= eights;
    }
#else
    (void)is_relu;
#endif
    for (; count > 0; count--) {
        *output++ = tl_dynamic_q(*sums++, multiplier, zero_point);
    }
}
