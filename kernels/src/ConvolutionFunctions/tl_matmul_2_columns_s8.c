/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. Eight sums (2 columns x 4 channels) stay in registers; per pair of elements there are 4
 * loads in a run, of which all but the first take one cycle, 2 SXTB16 and 8 SMLAD for 16 multiplications. Names: e is a
 * sum of an even channel, m the mixed sum of it and the odd channel after it (256 * odd + even); a and b are the two
 * pairs of channels of a block, 0 and 1 the columns. */
#include "tl_convolution.h"
#include "tl_matmul_loop.h"
#include "tl_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
/* tl_rescale_s8 of both columns' sums of a channel (given twice); its constants lie at %[c0] + offset. %[column] is free by now. */
#define RESCALE(sum_0, sum_1, offset)                                                                  \
    "ldr %[c1], [%[c0], #" #offset "]\n ldr %[wa], [%[c0], #" #offset "+4]\n"                          \
    "ldr %[wb], [%[c0], #" #offset "+8]\n"                                                             \
    "smmlar %[column], " sum_0 ", %[c1], %[wa]\n add %[column], %[column], " sum_0 ", asr #31\n"       \
    "asr %[column], %[column], %[wb]\n ssat " sum_0 ", #8, %[column]\n"                                \
    "smmlar %[column], " sum_1 ", %[c1], %[wa]\n add %[column], %[column], " sum_1 ", asr #31\n"       \
    "asr %[column], %[column], %[wb]\n ssat " sum_1 ", #8, %[column]\n"

/* Whole blocks of 4 channels. Written in assembly throughout: the sums, weights and column take all 14 registers, and what a block needs only
 * once lives on the stack. The loop over elements is unrolled to 32 and entered where the remainder of the number of eights says. */
static const int8_t *multiply_blocks(const int16_t *columns,
                                     int32_t pairs,
                                     const int8_t *weights,
                                     const int32_t *constants,
                                     int32_t blocks,
                                     int8_t *output_0,
                                     int8_t *output_1)
{
    const int16_t *const end = columns + 4 * pairs;
    const int32_t remainder = (pairs >> 2) & 3;
    const int16_t *column;
    int32_t ea0, ea1, eb0, eb1, ma0, ma1, mb0, mb1;
    uint32_t c0, c1, wa, wb;
    __asm__ volatile(
        ".p2align 2\n 1:\n ldr.w %[c0], %[constants]\n ldr.w %[column], %[columns]\n ldr.w %[c1], %[remainder]\n"
        "ldr %[ea0], [%[c0]]\n ldr %[ma0], [%[c0], #4]\n ldr %[eb0], [%[c0], #8]\n ldr %[mb0], [%[c0], #12]\n"
        "mov %[ea1], %[ea0]\n mov %[ma1], %[ma0]\n mov %[eb1], %[eb0]\n mov %[mb1], %[mb0]\n"
        TL_MULTIPLY_COLUMNS
        /* The differences are 256 times the odd channels' sums exactly, so a shift by 7 leaves twice the sums. */
        "ldr.w %[c0], %[constants]\n"
        "sub %[ma0], %[ma0], %[ea0]\n sub %[ma1], %[ma1], %[ea1]\n sub %[mb0], %[mb0], %[eb0]\n sub %[mb1], %[mb1], %[eb1]\n"
        "asr %[ma0], %[ma0], #7\n asr %[ma1], %[ma1], #7\n asr %[mb0], %[mb0], #7\n asr %[mb1], %[mb1], #7\n"
        "lsl %[ea0], %[ea0], #1\n lsl %[ea1], %[ea1], #1\n lsl %[eb0], %[eb0], #1\n lsl %[eb1], %[eb1], #1\n"
        RESCALE("%[ea0]", "%[ea1]", 16) RESCALE("%[ma0]", "%[ma1]", 28)
        RESCALE("%[eb0]", "%[eb1]", 40) RESCALE("%[mb0]", "%[mb1]", 52)
        "add %[c0], %[c0], #64\n str.w %[c0], %[constants]\n"
        "ldr.w %[c1], %[output_1]\n ldr.w %[c0], %[output_0]\n ldr.w %[wa], %[blocks]\n"
        /* By turns, as an address that the instruction before has changed costs a cycle; column 0 last, it may be the same place. */
        "strb %[ea1], [%[c1]], #4\n strb %[ea0], [%[c0]], #4\n"
        "strb %[ma1], [%[c1], #-3]\n strb %[ma0], [%[c0], #-3]\n strb %[eb1], [%[c1], #-2]\n strb %[eb0], [%[c0], #-2]\n"
        "strb %[mb1], [%[c1], #-1]\n strb %[mb0], [%[c0], #-1]\n str.w %[c1], %[output_1]\n str.w %[c0], %[output_0]\n"
        "subs.w %[wa], %[wa], #1\n str.w %[wa], %[blocks]\n bgt 1b\n"
        : [ea0] "=&r"(ea0), [ea1] "=&r"(ea1), [eb0] "=&r"(eb0), [eb1] "=&r"(eb1), [ma0] "=&r"(ma0), [ma1] "=&r"(ma1),
          [mb0] "=&r"(mb0), [mb1] "=&r"(mb1), [column] "=&r"(column), [weights] "+r"(weights), [c0] "=&r"(c0), [c1] "=&r"(c1),
          [wa] "=&r"(wa), [wb] "=&r"(wb), [constants] "+m"(constants), [blocks] "+m"(blocks), [output_0] "+m"(output_0),
          [output_1] "+m"(output_1)
        : [columns] "m"(columns), [end] "m"(end), [remainder] "m"(remainder)
        : "cc", "memory");
    return weights;
}
/* clang-format on */

#else

/* Whole blocks of 4 channels, as the assembly has it. */
static const int8_t *multiply_blocks(const int16_t *columns,
                                     int32_t pairs,
                                     const int8_t *weights,
                                     const int32_t *constants,
                                     int32_t blocks,
                                     int8_t *output_0,
                                     int8_t *output_1)
{
    for (; blocks > 0; blocks--) {
        for (int32_t c = 0; c < 4; c += 2) {
            const int32_t *rescaling = constants + 4 + 3 * c;
            int32_t sums[4] = {constants[c], constants[c + 1], constants[c], constants[c + 1]};
            tl_multiply_two_channels(columns, pairs, weights + 2 * c, sums);
            for (int32_t i = 2; i >= 0; i -= 2) {
                int8_t *output = (i == 2 ? output_1 : output_0) + c;
                /* The difference is 256 times the odd channel's sum exactly, so a shift by 7 leaves twice the sum. */
                const int32_t even = tl_wrap_add(sums[i], sums[i]), odd = tl_wrap_sub(sums[i + 1], sums[i]) >> 7;
                output[0] = (int8_t)tl_rescale_s8(even, rescaling[0], rescaling[1], rescaling[2]);
                output[1] = (int8_t)tl_rescale_s8(odd, rescaling[3], rescaling[4], rescaling[5]);
            }
        }
        weights += 8 * pairs;
        constants += 16;
        output_0 += 4;
        output_1 += 4;
    }
    return weights;
}

#endif

void tl_matmul_2_columns_s8(const int16_t *columns,
                            int32_t pairs,
                            const int8_t *weights,
                            const int32_t *constants,
                            int32_t channels,
                            int8_t *output_0,
                            int8_t *output_1)
{
    const int32_t whole = channels & ~3;
    if (whole > 0) {
        weights = multiply_blocks(columns, pairs, weights, constants, whole / 4, output_0, output_1);
    }
    if (whole < channels) {
        int8_t last_0[4], last_1[4];
        multiply_blocks(columns, pairs, weights, constants + 4 * whole, 1, last_0, last_1);
        for (int32_t c = whole; c < channels; c++) {
            output_1[c] = last_1[c - whole];
            output_0[c] = last_0[c - whole];
        }
    }
}
