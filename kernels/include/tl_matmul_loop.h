/* SPDX-License-Identifier: MIT
 * The inner loop of the kernels that multiply two int16 columns with packed weights (tl_matmul_2_columns_s8 and the
 * dynamic ones): what follows a block's sums differs, this does not. See tl_matmul_2_columns_s8.c for the names. */
#ifndef TL_MATMUL_LOOP_H
#define TL_MATMUL_LOOP_H

#include "tl_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
/* Mixed weights are used before they are widened in place. */
#define TL_MULTIPLY_PAIR                                                                                  \
    "smlad %[ma0], %[wa], %[c0], %[ma0]\n smlad %[ma1], %[wa], %[c1], %[ma1]\n sxtb16 %[wa], %[wa]\n"  \
    "smlad %[mb0], %[wb], %[c0], %[mb0]\n smlad %[mb1], %[wb], %[c1], %[mb1]\n sxtb16 %[wb], %[wb]\n"  \
    "smlad %[ea0], %[wa], %[c0], %[ea0]\n smlad %[ea1], %[wa], %[c1], %[ea1]\n"                        \
    "smlad %[eb0], %[wb], %[c0], %[eb0]\n smlad %[eb1], %[wb], %[c1], %[eb1]\n"

#define TL_LOAD_PAIR(offset)                                                                              \
    "ldr %[c0], [%[column], #" #offset "]\n ldr %[c1], [%[column], #" #offset "+4]\n"                  \
    "ldr %[wa], [%[weights], #" #offset "]\n ldr %[wb], [%[weights], #" #offset "+4]\n"

/* Eight elements of both columns; base registers alternate so that the first loads pipeline in spite of their increments. */
#define TL_MULTIPLY_FOUR_PAIRS                                                                            \
    "ldr %[c0], [%[column]], #32\n ldr %[wa], [%[weights]], #32\n"                                     \
    "ldr %[c1], [%[column], #-28]\n ldr %[wb], [%[weights], #-28]\n" TL_MULTIPLY_PAIR                     \
    TL_LOAD_PAIR(-24) TL_MULTIPLY_PAIR TL_LOAD_PAIR(-16) TL_MULTIPLY_PAIR TL_LOAD_PAIR(-8) TL_MULTIPLY_PAIR

/* The loop over elements, entered where the remainder (in %[c1]) of the number of eights says. Word-aligned: three 32-bit instructions in a row that are
 * not cost a cycle more. Unrolled to 32, or to 16 where a block's whole way must stay in an instruction cache of 1 KiB: one byte more, and every line of it
 * is fetched anew for every block. */
#if defined(TL_SMALL_INSTRUCTION_CACHE)
#define TL_MULTIPLY_COLUMNS                                                                            \
    "tst.w %[c1], #1\n bne.w 3f\n .p2align 2\n"                                                        \
    "2:\n" TL_MULTIPLY_FOUR_PAIRS "3:\n" TL_MULTIPLY_FOUR_PAIRS "ldr.w %[c0], %[end]\n cmp.w %[column], %[c0]\n bne.w 2b\n"
#else
#define TL_MULTIPLY_COLUMNS                                                                            \
    "cmp.w %[c1], #2\n bgt.w 3f\n beq.w 4f\n cmp.w %[c1], #1\n beq.w 5f\n .p2align 2\n"              \
    "2:\n" TL_MULTIPLY_FOUR_PAIRS "3:\n" TL_MULTIPLY_FOUR_PAIRS "4:\n" TL_MULTIPLY_FOUR_PAIRS          \
    "5:\n" TL_MULTIPLY_FOUR_PAIRS "ldr.w %[c0], %[end]\n cmp.w %[column], %[c0]\n bne.w 2b\n"
#endif
/* clang-format on */

#endif

#if defined(TL_THUMB1_LOOPS)

/* clang-format off */
/* One pair of elements of both columns: 3 loads, 11 extractions, 8 multiplications. r0: columns, r1: weights, r8 and r9: even and mixed sum of
 * column 0, r10 and r11: of column 1. A mixed weight is its halfword, an even one that halfword's low byte. */
#define TL_MULTIPLY_PAIR_THUMB1(offset)                                                            \
    "ldmia r0!, {r2, r3}\n ldr r6, [r1, #" #offset "]\n"                                          \
    "sxth r4, r2\n sxth r5, r6\n muls r5, r4\n add r9, r5\n sxtb r5, r6\n muls r5, r4\n add r8, r5\n"   \
    "sxth r4, r3\n sxth r5, r6\n muls r5, r4\n add r11, r5\n sxtb r5, r6\n muls r5, r4\n add r10, r5\n" \
    "asrs r2, r2, #16\n asrs r3, r3, #16\n asrs r6, r6, #16\n"                                    \
    "movs r5, r6\n muls r5, r2\n add r9, r5\n sxtb r5, r6\n muls r6, r3\n add r11, r6\n"           \
    "muls r2, r5\n add r8, r2\n muls r5, r3\n add r10, r5\n"

/* Armv6-M has too few registers for four channels at a time. */
static TL_NOINLINE void tl_multiply_two_channels(const int16_t *columns, int32_t pairs, const int8_t *weights, int32_t sums[4])
{
    register const int16_t *column __asm__("r0") = columns;
    register const int8_t *weight __asm__("r1") = weights;
    register int32_t even_0 __asm__("r8") = sums[0];
    register int32_t mixed_0 __asm__("r9") = sums[1];
    register int32_t even_1 __asm__("r10") = sums[2];
    register int32_t mixed_1 __asm__("r11") = sums[3];
    register const int16_t *end __asm__("r12") = columns + 4 * pairs;
    __asm__ volatile(".syntax unified\n 1:\n" TL_MULTIPLY_PAIR_THUMB1(0) TL_MULTIPLY_PAIR_THUMB1(8)
                     TL_MULTIPLY_PAIR_THUMB1(16) TL_MULTIPLY_PAIR_THUMB1(24) "adds r1, #32\n cmp r0, r12\n bne 1b\n"
                     : "+l"(column), "+l"(weight), "+h"(even_0), "+h"(mixed_0), "+h"(even_1), "+h"(mixed_1)
                     : "h"(end)
                     : "r2", "r3", "r4", "r5", "r6", "cc", "memory");
    sums[0] = even_0, sums[1] = mixed_0, sums[2] = even_1, sums[3] = mixed_1;
}
/* clang-format on */

#else

/* Adds two columns times two channels of a block to {even, mixed} of column 0 and of column 1. pairs: a multiple of 4, > 0; weights: of
 * the first or second two channels, 4-byte aligned. */
TL_INLINE void
tl_multiply_two_channels(const int16_t *columns, int32_t pairs, const int8_t *weights, int32_t sums[4])
{
    int32_t even_0 = sums[0], mixed_0 = sums[1], even_1 = sums[2], mixed_1 = sums[3];
    for (; pairs > 0; pairs--) {
#if defined(TL_USE_DSP)
        const uint32_t values_0 = tl_load_word(columns), values_1 = tl_load_word(columns + 2);
        const uint32_t mixed = tl_load_word(weights), even = tl_sxtb16(mixed);
        even_0 = tl_smlad(even, values_0, even_0);
        mixed_0 = tl_smlad(mixed, values_0, mixed_0);
        even_1 = tl_smlad(even, values_1, even_1);
        mixed_1 = tl_smlad(mixed, values_1, mixed_1);
#else
        for (int32_t k = 0; k < 2; k++) {
            const int32_t mixed =
                (int16_t)(uint16_t)((uint8_t)weights[2 * k] | (uint32_t)(uint8_t)weights[2 * k + 1] << 8);
            const int32_t even = (int8_t)mixed;
            even_0 = tl_wrap_add(even_0, even * columns[k]);
            mixed_0 = tl_wrap_add(mixed_0, mixed * columns[k]);
            even_1 = tl_wrap_add(even_1, even * columns[k + 2]);
            mixed_1 = tl_wrap_add(mixed_1, mixed * columns[k + 2]);
        }
#endif
        columns += 4;
        weights += 8;
    }
    sums[0] = even_0, sums[1] = mixed_0, sums[2] = even_1, sums[3] = mixed_1;
}

#endif

#endif
