/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_range.h. Eight sums at a time: loads in a run, of which all but the first take one cycle. */
#include "tl_dynamic_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
#define TAKE_MAX(sum) "cmp " sum ", %[high]\n it gt\n movgt %[high], " sum "\n"
#define TAKE_BOTH(sum) TAKE_MAX(sum) "cmp " sum ", %[low]\n it lt\n movlt %[low], " sum "\n"
#define SCAN_EIGHTS(take)                                                                              \
    __asm__ volatile(".p2align 2\n 1:\n ldr %[s0], [%[sums]], #32\n ldr %[s1], [%[sums], #-28]\n"                   \
                     "ldr %[s2], [%[sums], #-24]\n ldr %[s3], [%[sums], #-20]\n"                       \
                     "ldr %[s4], [%[sums], #-16]\n ldr %[s5], [%[sums], #-12]\n"                       \
                     "ldr %[s6], [%[sums], #-8]\n ldr %[s7], [%[sums], #-4]\n"                         \
                     take("%[s0]") take("%[s1]") take("%[s2]") take("%[s3]")                           \
                     take("%[s4]") take("%[s5]") take("%[s6]") take("%[s7]")                           \
                     "cmp %[sums], %[end]\n bne 1b\n"                                                  \
                     : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), \
                       [s5] "=&r"(s5), [s6] "=&r"(s6), [s7] "=&r"(s7), [sums] "+r"(sums),              \
                       [high] "+r"(high), [low] "+r"(low)                                              \
                     : [end] "r"(end)                                                                  \
                     : "cc", "memory")
/* clang-format on */

#endif

void tl_dynamic_extremes(const int32_t *sums, int32_t count, int32_t is_low_needed, int32_t extremes[2])
{
    int32_t low = extremes[0], high = extremes[1];
#if defined(TL_ASM_LOOPS)
    const int32_t *const end = sums + (count & ~7);
    if (end != sums) {
        int32_t s0, s1, s2, s3, s4, s5, s6, s7;
        if (is_low_needed) {
            SCAN_EIGHTS(TAKE_BOTH);
        } else {
            SCAN_EIGHTS(TAKE_MAX);
        }
        count &= 7;
    }
#else
    (void)is_low_needed;
#endif
    for (; count > 0; count--) {
        const int32_t sum = *sums++;
        low = tl_min(low, sum);
        high = tl_max(high, sum);
    }
    extremes[0] = low;
    extremes[1] = high;
}
