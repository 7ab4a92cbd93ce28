/* SPDX-License-Identifier: MIT
 * The body of the tl_dynamic_matmul_* variants; each defines what it does with a block's sums before it includes this:
 *   TL_VARIANT_SCAN      tl_scan_kind
 *   TL_VARIANT_SCAN_ASM  the same in assembly: value in %[x], high in %[wa], low in %[wb], %[c1] free
 *   TL_VARIANT_RESULT    int32_t (aligned sums) or int8_t (requantized)
 *   TL_VARIANT_STORE_ASM TL_STORE_S32 or TL_STORE_S8
 * Names of sums as in tl_matmul_2_columns_s8.c. */
#ifndef TL_DYNAMIC_MATMUL_H
#define TL_DYNAMIC_MATMUL_H

#include "tl_dynamic_support.h"
#include "tl_matmul_loop.h"

/** What a block needs once; the assembly addresses the members by their offset, 4 bytes each. */
typedef struct {
    const int16_t *columns;   /* 0 */
    int32_t remainder;        /* 4 */
    const int32_t *biases;    /* 8 */
    const int32_t *constants; /* 12 */
    void *output_0;           /* 16 */
    void *output_1;           /* 20 */
    int32_t blocks;           /* 24 */
    int32_t high;             /* 28 */
    int32_t low;              /* 32 */
    int32_t multiplier;       /* 36 */
    int32_t zero_point;       /* 40 */
} tl_block_context;

#if defined(TL_ASM_LOOPS)
/* clang-format off */
#define TL_ASM_SCAN_BITS(x) "eor %[c1], " x ", " x ", asr #31\n orr %[wa], %[wa], %[c1]\n"
#define TL_ASM_SCAN_BITS_RELU(x) "bic " x ", " x ", " x ", asr #31\n orr %[wa], %[wa], " x "\n"
#define TL_ASM_SCAN_MAX(x) "cmp " x ", %[wa]\n it gt\n movgt %[wa], " x "\n"
#define TL_ASM_SCAN_RANGE(x) TL_ASM_SCAN_MAX(x) "cmp " x ", %[wb]\n it lt\n movlt %[wb], " x "\n"

/* Both outputs by turns, as an address that the instruction before has changed costs a cycle. */
#define TL_LOAD_OUTPUTS "ldr.w %[c0], [%[c1], #20]\n ldr.w %[wa], [%[c1], #16]\n"
#define TL_KEEP_OUTPUTS "str.w %[c0], [%[c1], #20]\n str.w %[wa], [%[c1], #16]\n"
#define TL_STORE_S32                                                                                       \
    TL_LOAD_OUTPUTS "str.w %[ea1], [%[c0]], #16\n str.w %[ea0], [%[wa]], #16\n"                            \
    "str.w %[ma1], [%[c0], #-12]\n str.w %[ma0], [%[wa], #-12]\n str.w %[eb1], [%[c0], #-8]\n"             \
    "str.w %[eb0], [%[wa], #-8]\n str.w %[mb1], [%[c0], #-4]\n str.w %[mb0], [%[wa], #-4]\n" TL_KEEP_OUTPUTS

#define TL_RESCALE_S8(x) "smmlar " x ", " x ", %[column], %[wb]\n ssat " x ", #8, " x "\n"
#define TL_STORE_S8                                                                                        \
    "ldr.w %[column], [%[c1], #36]\n ldr.w %[wb], [%[c1], #40]\n"                                              \
    TL_RESCALE_S8("%[ea1]") TL_RESCALE_S8("%[ma1]") TL_RESCALE_S8("%[eb1]") TL_RESCALE_S8("%[mb1]")        \
    TL_RESCALE_S8("%[ea0]") TL_RESCALE_S8("%[ma0]") TL_RESCALE_S8("%[eb0]") TL_RESCALE_S8("%[mb0]")        \
    TL_LOAD_OUTPUTS "strb %[ea1], [%[c0]], #4\n strb %[ea0], [%[wa]], #4\n"                                \
    "strb %[ma1], [%[c0], #-3]\n strb %[ma0], [%[wa], #-3]\n strb %[eb1], [%[c0], #-2]\n"                  \
    "strb %[eb0], [%[wa], #-2]\n strb %[mb1], [%[c0], #-1]\n strb %[mb0], [%[wa], #-1]\n" TL_KEEP_OUTPUTS

/** Whole blocks of 4 channels; registers as in tl_matmul_2_columns_s8.c, everything else in `context`. */
#define TL_ASM_BLOCKS(scan, store)                                                                         \
    ".p2align 2\n 1:\n ldr.w %[c0], %[context]\n ldr.w %[column], [%[c0]]\n ldr.w %[wa], [%[c0], #8]\n ldr.w %[c1], [%[c0], #4]\n" \
    "ldr.w %[ea0], [%[wa]], #16\n ldr.w %[ma0], [%[wa], #-12]\n ldr.w %[eb0], [%[wa], #-8]\n ldr.w %[mb0], [%[wa], #-4]\n" \
    "str.w %[wa], [%[c0], #8]\n"                                                                             \
    "mov.w %[ea1], %[ea0]\n mov.w %[ma1], %[ma0]\n mov.w %[eb1], %[eb0]\n mov.w %[mb1], %[mb0]\n"                  \
    TL_MULTIPLY_COLUMNS ".p2align 2\n"                                                                                \
    /* 256 times the sums, aligned: the differences are 256 times the odd channels' sums exactly. */       \
    "ldr.w %[c1], %[context]\n ldr.w %[c0], [%[c1], #12]\n"                                                    \
    "sub %[ma0], %[ma0], %[ea0]\n sub %[ma1], %[ma1], %[ea1]\n sub %[mb0], %[mb0], %[eb0]\n sub %[mb1], %[mb1], %[eb1]\n" \
    "lsl %[ea0], %[ea0], #8\n lsl %[ea1], %[ea1], #8\n lsl %[eb0], %[eb0], #8\n lsl %[eb1], %[eb1], #8\n"  \
    "add.w %[wa], %[c0], #48\n str.w %[wa], [%[c1], #12]\n"                                                    \
    "ldr.w %[column], [%[c0], #32]\n ldr.w %[c1], [%[c0], #36]\n ldr.w %[wa], [%[c0], #40]\n ldr.w %[wb], [%[c0], #44]\n" \
    "smmulr %[ea0], %[ea0], %[column]\n smmulr %[ea1], %[ea1], %[column]\n"                                \
    "smmulr %[ma0], %[ma0], %[c1]\n smmulr %[ma1], %[ma1], %[c1]\n"                                        \
    "smmulr %[eb0], %[eb0], %[wa]\n smmulr %[eb1], %[eb1], %[wa]\n"                                        \
    "smmulr %[mb0], %[mb0], %[wb]\n smmulr %[mb1], %[mb1], %[wb]\n"                                        \
    "ldr.w %[c0], %[context]\n ldr.w %[wa], [%[c0], #28]\n ldr.w %[wb], [%[c0], #32]\n"                          \
    scan("%[ea0]") scan("%[ea1]") scan("%[ma0]") scan("%[ma1]")                                            \
    scan("%[eb0]") scan("%[eb1]") scan("%[mb0]") scan("%[mb1]")                                            \
    "mov.w %[c1], %[c0]\n str.w %[wa], [%[c1], #28]\n str.w %[wb], [%[c1], #32]\n"                               \
    store                                                                                                  \
    "ldr.w %[wa], [%[c1], #24]\n subs.w %[wa], %[wa], #1\n str.w %[wa], [%[c1], #24]\n bgt 1b\n"
/* clang-format on */
#endif

#endif

static const int8_t *multiply_blocks(tl_block_context *context, int32_t pairs, const int8_t *weights)
{
#if defined(TL_ASM_LOOPS)
    const int16_t *const end = context->columns + 4 * pairs;
    const int16_t *column;
    int32_t ea0, ea1, eb0, eb1, ma0, ma1, mb0, mb1;
    uint32_t c0, c1, wa, wb;
    /* clang-format off */
    __asm__ volatile(TL_ASM_BLOCKS(TL_VARIANT_SCAN_ASM, TL_VARIANT_STORE_ASM)
        : [ea0] "=&r"(ea0), [ea1] "=&r"(ea1), [eb0] "=&r"(eb0), [eb1] "=&r"(eb1), [ma0] "=&r"(ma0), [ma1] "=&r"(ma1),
          [mb0] "=&r"(mb0), [mb1] "=&r"(mb1), [column] "=&r"(column), [weights] "+r"(weights), [c0] "=&r"(c0), [c1] "=&r"(c1),
          [wa] "=&r"(wa), [wb] "=&r"(wb)
        : [context] "m"(context), [end] "m"(end)
        : "cc", "memory");
    /* clang-format on */
#else
    TL_VARIANT_RESULT *output_0 = (TL_VARIANT_RESULT *)context->output_0;
    TL_VARIANT_RESULT *output_1 = (TL_VARIANT_RESULT *)context->output_1;
    for (; context->blocks > 0; context->blocks--) {
        const int32_t *bias = context->biases;
        int32_t sums_0[4], sums_1[4];
        for (int32_t c = 0; c < 4; c += 2) {
            int32_t sums[4] = {bias[c], bias[c + 1], bias[c], bias[c + 1]};
            tl_multiply_two_channels(context->columns, pairs, weights + 2 * c, sums);
            sums_0[c] = sums[0], sums_0[c + 1] = sums[1];
            sums_1[c] = sums[2], sums_1[c + 1] = sums[3];
        }
        weights += 8 * pairs;
        for (int32_t c = 3; c >= 0; c--) {
            const int32_t multiplier = context->constants[8 + c];
            int32_t *const both[2] = {sums_1, sums_0};
            for (int32_t i = 0; i < 2; i++) {
                int32_t *sums = both[i];
                const int32_t shifted = c & 1 ? tl_wrap_sub(sums[c], sums[c - 1]) : tl_wrap_shift_left(sums[c], 8);
                sums[c] = tl_scan(TL_VARIANT_SCAN, tl_smmulr(shifted, multiplier), &context->low, &context->high);
            }
        }
        for (int32_t c = 0; c < 4; c++) {
            output_1[c] = sizeof(TL_VARIANT_RESULT) == 4
                              ? (TL_VARIANT_RESULT)sums_1[c]
                              : (TL_VARIANT_RESULT)tl_dynamic_q(sums_1[c], context->multiplier, context->zero_point);
        }
        for (int32_t c = 0; c < 4; c++) {
            output_0[c] = sizeof(TL_VARIANT_RESULT) == 4
                              ? (TL_VARIANT_RESULT)sums_0[c]
                              : (TL_VARIANT_RESULT)tl_dynamic_q(sums_0[c], context->multiplier, context->zero_point);
        }
        context->biases += 4;
        context->constants += 12;
        output_0 += 4;
        output_1 += 4;
    }
    context->output_0 = output_0;
    context->output_1 = output_1;
#endif
    return weights;
}

TL_INLINE void multiply_channels(const int16_t *columns,
                                 int32_t pairs,
                                 const int8_t *weights,
                                 const int32_t *biases,
                                 const int32_t *constants,
                                 int32_t channels,
                                 void *output_0,
                                 void *output_1,
                                 tl_dynamic_range *range)
{
    const int32_t whole = channels / 4, left = channels & 3;
    tl_block_context context = {columns,
                                (pairs >> 2) & 3,
                                biases,
                                constants,
                                output_0,
                                output_1,
                                whole,
                                range->high,
                                range->low,
                                range->multiplier,
                                range->zero_point};
    if (whole > 0) {
        weights = multiply_blocks(&context, pairs, weights);
    }
    if (left > 0) {
        /* Channels that fill up the block are 0, which every range holds. */
        TL_VARIANT_RESULT last_0[4], last_1[4];
        void *const next_0 = context.output_0, *const next_1 = context.output_1;
        context.output_0 = last_0;
        context.output_1 = last_1;
        context.blocks = 1;
        multiply_blocks(&context, pairs, weights);
        memcpy(next_1, last_1, (size_t)left * sizeof(TL_VARIANT_RESULT));
        memcpy(next_0, last_0, (size_t)left * sizeof(TL_VARIANT_RESULT));
    }
    range->high = context.high;
    range->low = context.low;
}
