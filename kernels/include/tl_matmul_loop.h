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

/* Adds one pair of elements of one column to the four sums of a block: {ea, ma, eb, mb}. */
TL_INLINE void tl_multiply_pair(const int16_t *pair, const int8_t *weights, int32_t sums[4])
{
#if defined(TL_USE_DSP)
    const uint32_t values = tl_load_word(pair);
    const uint32_t a = tl_load_word(weights);
    const uint32_t b = tl_load_word(weights + 4);
    sums[0] = tl_smlad(tl_sxtb16(a), values, sums[0]);
    sums[1] = tl_smlad(a, values, sums[1]);
    sums[2] = tl_smlad(tl_sxtb16(b), values, sums[2]);
    sums[3] = tl_smlad(b, values, sums[3]);
#else
    for (int32_t k = 0; k < 2; k++) {
        for (int32_t i = 0; i < 2; i++) {
            const int8_t *both = weights + 4 * i + 2 * k;
            sums[2 * i] = tl_wrap_add(sums[2 * i], both[0] * pair[k]);
            sums[2 * i + 1] = tl_wrap_add(sums[2 * i + 1], (256 * both[1] + (uint8_t)both[0]) * pair[k]);
        }
    }
#endif
}

#endif
