/* SPDX-License-Identifier: MIT
 * The first loop of the strip kernels (tl_depthwise_strip.h): a walk along the strip gives a row of sums, stride 1 two
 * lines at a time, stride 2 one. */
#ifndef TL_DEPTHWISE_SUMS_H
#define TL_DEPTHWISE_SUMS_H

#include "tl_depthwise_strip.h"

/* Columns of the strip: a window's two more than outputs, filled up to an even number for the loop over two of them. */
TL_INLINE int32_t tl_strip_columns(const tl_dims *output_dims)
{
    return (tl_max(output_dims->h, output_dims->w) + 3) & ~1;
}

/* Two columns per output, and two in which the last output is finished. */
TL_INLINE int32_t tl_strip_columns_stride2(const tl_dims *output_dims)
{
    return 2 * tl_max(output_dims->h, output_dims->w) + 2;
}

#if defined(TL_ASM_LOOPS)
/* clang-format off */
/* One column: finish the outputs f0, f1 (right column of the window), continue g0, g1 (middle), start f0, f1 anew (left). */
#define TL_SUM_COLUMN(f0, f1, g0, g1)                                                                                \
    "ldr %[upper], [%[strip]], #32\n ldr %[lower], [%[strip], #-28]\n str %[lower], [%[strip], #-32]\n"           \
    "smlad " f0 ", %[right_01], %[upper], " f0 "\n smlabt " f1 ", %[right_01], %[upper], " f1 "\n"               \
    "smlatb " f0 ", %[right_12], %[lower], " f0 "\n smlad " f1 ", %[right_12], %[lower], " f1 "\n"               \
    "str " f0 ", [%[sums]], #8\n smlad " g0 ", %[middle_01], %[upper], " g0 "\n str " f1 ", [%[sums], #-4]\n"      \
    "smlabt " g1 ", %[middle_01], %[upper], " g1 "\n"                                                            \
    "smlatb " g0 ", %[middle_12], %[lower], " g0 "\n smlad " g1 ", %[middle_12], %[lower], " g1 "\n"             \
    "smuad " f0 ", %[left_01], %[upper]\n smulbt " f1 ", %[left_01], %[upper]\n"                                 \
    "smlatb " f0 ", %[left_12], %[lower], " f0 "\n smlad " f1 ", %[left_12], %[lower], " f1 "\n"

/* tl_strip_sum_run with all its 14 values in registers; columns is even. Turns of 4 columns, the first one of 2 if that is what is over. */
#define TL_SUM_COLUMNS(strip, sums, columns)                                                                          \
    do {                                                                                                           \
        const int16_t *const end = strip + columns * TL_STRIP_COLUMN;                                                \
        uint32_t upper = (uint32_t)columns, lower;                                                                 \
        int32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;                                                                    \
        __asm__ volatile("tst %[upper], #2\n bne 2f\n .p2align 2\n"                                              \
                         "1:\n" TL_SUM_COLUMN("%[a0]", "%[a1]", "%[b0]", "%[b1]")                                     \
                         TL_SUM_COLUMN("%[b0]", "%[b1]", "%[a0]", "%[a1]")                                            \
                         "2:\n" TL_SUM_COLUMN("%[a0]", "%[a1]", "%[b0]", "%[b1]")                                     \
                         TL_SUM_COLUMN("%[b0]", "%[b1]", "%[a0]", "%[a1]")                                            \
                         "ldr %[upper], %[end]\n cmp %[strip], %[upper]\n bne 1b\n"                                \
                         : [a0] "+r"(a0), [a1] "+r"(a1), [b0] "+r"(b0), [b1] "+r"(b1), [strip] "+r"(strip),        \
                           [sums] "+r"(sums), [upper] "+r"(upper), [lower] "=&r"(lower)                            \
                         : [left_01] "r"(left_01), [left_12] "r"(left_12), [middle_01] "r"(middle_01),             \
                           [middle_12] "r"(middle_12), [right_01] "r"(right_01), [right_12] "r"(right_12),         \
                           [end] "m"(end)                                                                          \
                         : "cc", "memory");                                                                        \
    } while (0)
/* clang-format on */
#endif

/* The sum of a whole window of one channel, without the DSP extension. */
TL_INLINE int32_t tl_window_sum(const int16_t *column, const int8_t *weights)
{
    int32_t sum = 0;
    for (const int8_t *w = weights; w < weights + 12; w += 4) {
        sum += w[0] * column[0] + w[1] * column[1] + w[3] * column[2];
        column += TL_STRIP_COLUMN;
    }
    return sum;
}

/* Sums of one channel along the strip; sums[0..3] get values that belong to no output. weights: 3 columns of bytes {w0,
 * w1, w1, w2}. */
TL_INLINE void tl_strip_sum_run(int16_t *strip, int32_t columns, const int8_t *weights, int32_t *sums)
{
#if defined(TL_USE_DSP)
    const uint32_t word_0 = tl_load_word(weights), word_1 = tl_load_word(weights + 4),
                   word_2 = tl_load_word(weights + 8);
    const uint32_t left_01 = tl_sxtb16(word_0), left_12 = tl_sxtb16_ror8(word_0);
    const uint32_t middle_01 = tl_sxtb16(word_1), middle_12 = tl_sxtb16_ror8(word_1);
    const uint32_t right_01 = tl_sxtb16(word_2), right_12 = tl_sxtb16_ror8(word_2);
#if defined(TL_SUM_COLUMNS)
    TL_SUM_COLUMNS(strip, sums, columns);
#else
    int32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;
    for (; columns > 0; columns--) {
        const uint32_t upper = tl_load_word(strip);
        const uint32_t lower = tl_load_word(strip + 2);
        tl_store_word(strip, lower);
        sums[0] = tl_smlatb(right_12, lower, tl_smlad(right_01, upper, a0));
        sums[1] = tl_smlad(right_12, lower, tl_smlabt(right_01, upper, a1));
        a0 = tl_smlatb(middle_12, lower, tl_smlad(middle_01, upper, b0));
        a1 = tl_smlad(middle_12, lower, tl_smlabt(middle_01, upper, b1));
        b0 = tl_smlatb(left_12, lower, tl_smuad(left_01, upper));
        b1 = tl_smlad(left_12, lower, tl_smlabt(left_01, upper, 0));
        sums += 2;
        strip += TL_STRIP_COLUMN;
    }
#endif
#else
    for (int32_t x = 2; x < columns; x++) {
        const int16_t *column = strip + (x - 2) * TL_STRIP_COLUMN;
        int32_t first = 0, second = 0;
        for (const int8_t *w = weights; w < weights + 12; w += 4) {
            first += w[0] * column[0] + w[1] * column[1] + w[3] * column[2];
            second += w[0] * column[1] + w[1] * column[2] + w[3] * column[3];
            column += TL_STRIP_COLUMN;
        }
        sums[2 * x] = first;
        sums[2 * x + 1] = second;
    }
    for (int32_t x = 0; x < columns; x++) {
        int16_t *column = strip + x * TL_STRIP_COLUMN;
        column[0] = column[2], column[1] = column[3];
    }
#endif
}

/* As tl_strip_sum_run for the first of the two lines alone, after which the strip holds nothing of use: what remains of an
 * odd number of lines. Of each pair of sums the second is not written. */
TL_INLINE void tl_strip_sum_line(const int16_t *strip, int32_t columns, const int8_t *weights, int32_t *sums)
{
#if defined(TL_USE_DSP)
    const uint32_t word_0 = tl_load_word(weights), word_1 = tl_load_word(weights + 4),
                   word_2 = tl_load_word(weights + 8);
    const uint32_t left_01 = tl_sxtb16(word_0), left_12 = tl_sxtb16_ror8(word_0);
    const uint32_t middle_01 = tl_sxtb16(word_1), middle_12 = tl_sxtb16_ror8(word_1);
    const uint32_t right_01 = tl_sxtb16(word_2), right_12 = tl_sxtb16_ror8(word_2);
    const int16_t *const end = strip + columns * TL_STRIP_COLUMN;
    int32_t a = 0, b = 0;
#if defined(TL_ASM_LOOPS)
    uint32_t upper_0, lower_0, upper_1, lower_1;
    /* clang-format off */
    __asm__ volatile(".p2align 2\n 1:\n ldr %[upper_0], [%[strip]], #64\n ldr %[lower_0], [%[strip], #-60]\n"
                     "ldr %[upper_1], [%[strip], #-32]\n ldr %[lower_1], [%[strip], #-28]\n"
                     "smlad %[a], %[right_01], %[upper_0], %[a]\n smlatb %[a], %[right_12], %[lower_0], %[a]\n"
                     "smlad %[b], %[middle_01], %[upper_0], %[b]\n smlatb %[b], %[middle_12], %[lower_0], %[b]\n"
                     "str %[a], [%[sums]], #16\n"
                     "smuad %[a], %[left_01], %[upper_0]\n smlatb %[a], %[left_12], %[lower_0], %[a]\n"
                     "smlad %[b], %[right_01], %[upper_1], %[b]\n smlatb %[b], %[right_12], %[lower_1], %[b]\n"
                     "smlad %[a], %[middle_01], %[upper_1], %[a]\n smlatb %[a], %[middle_12], %[lower_1], %[a]\n"
                     "str %[b], [%[sums], #-8]\n ldr.w %[upper_0], %[end]\n"
                     "smuad %[b], %[left_01], %[upper_1]\n smlatb %[b], %[left_12], %[lower_1], %[b]\n"
                     "cmp.w %[strip], %[upper_0]\n bne.w 1b\n"
                     : [a] "+r"(a), [b] "+r"(b), [strip] "+r"(strip), [sums] "+r"(sums), [upper_0] "=&r"(upper_0),
                       [lower_0] "=&r"(lower_0), [upper_1] "=&r"(upper_1), [lower_1] "=&r"(lower_1)
                     : [left_01] "r"(left_01), [left_12] "r"(left_12), [middle_01] "r"(middle_01), [middle_12] "r"(middle_12),
                       [right_01] "r"(right_01), [right_12] "r"(right_12), [end] "m"(end)
                     : "cc", "memory");
    /* clang-format on */
#else
    for (; strip < end; strip += TL_STRIP_COLUMN) {
        const uint32_t upper = tl_load_word(strip);
        const uint32_t lower = tl_load_word(strip + 2);
        *sums = tl_smlatb(right_12, lower, tl_smlad(right_01, upper, a));
        a = tl_smlatb(middle_12, lower, tl_smlad(middle_01, upper, b));
        b = tl_smlatb(left_12, lower, tl_smuad(left_01, upper));
        sums += 2;
    }
#endif
#else
    for (int32_t x = 2; x < columns; x++) {
        sums[2 * x] = tl_window_sum(strip + (x - 2) * TL_STRIP_COLUMN, weights);
    }
#endif
}

/* Sums of one channel along the strip, `apart` int32 (a constant) from each other; the first belongs to no output.
 * weights: 3 columns of {w0, w1, w1, w2}. */
TL_INLINE void
tl_strip_sum_run_stride2(int16_t *strip, int32_t columns, const int8_t *weights, int32_t apart, int32_t *sums)
{
#if defined(TL_USE_DSP)
    const uint32_t word_0 = tl_load_word(weights), word_1 = tl_load_word(weights + 4),
                   word_2 = tl_load_word(weights + 8);
    const uint32_t left_01 = tl_sxtb16(word_0), left_12 = tl_sxtb16_ror8(word_0);
    const uint32_t middle_01 = tl_sxtb16(word_1), middle_12 = tl_sxtb16_ror8(word_1);
    const uint32_t right_01 = tl_sxtb16(word_2), right_12 = tl_sxtb16_ror8(word_2);
    int32_t sum = 0;
#if defined(TL_ASM_LOOPS)
    const int16_t *const end = strip + columns * TL_STRIP_COLUMN;
    uint32_t upper_0, lower_0, upper_1, lower_1;
    /* clang-format off */
    __asm__ volatile(".p2align 2\n 1:\n ldr %[upper_0], [%[strip]], #64\n ldr %[lower_0], [%[strip], #-60]\n"
                     "ldr %[upper_1], [%[strip], #-32]\n ldr %[lower_1], [%[strip], #-28]\n"
                     "str %[lower_0], [%[strip], #-64]\n str %[lower_1], [%[strip], #-32]\n"
                     "smlad %[sum], %[right_01], %[upper_0], %[sum]\n smlatb %[sum], %[right_12], %[lower_0], %[sum]\n"
                     "str %[sum], [%[sums]], %[apart]\n"
                     "smuad %[sum], %[left_01], %[upper_0]\n smlatb %[sum], %[left_12], %[lower_0], %[sum]\n"
                     "smlad %[sum], %[middle_01], %[upper_1], %[sum]\n smlatb %[sum], %[middle_12], %[lower_1], %[sum]\n"
                     "ldr %[upper_0], %[end]\n cmp %[strip], %[upper_0]\n bne 1b\n"
                     : [sum] "+r"(sum), [strip] "+r"(strip), [sums] "+r"(sums), [upper_0] "=&r"(upper_0),
                       [lower_0] "=&r"(lower_0), [upper_1] "=&r"(upper_1), [lower_1] "=&r"(lower_1)
                     : [left_01] "r"(left_01), [left_12] "r"(left_12), [middle_01] "r"(middle_01), [middle_12] "r"(middle_12),
                       [right_01] "r"(right_01), [right_12] "r"(right_12), [end] "m"(end), [apart] "i"(4 * apart)
                     : "cc", "memory");
    /* clang-format on */
#else
    for (; columns > 0; columns -= 2) {
        const uint32_t upper_0 = tl_load_word(strip);
        const uint32_t lower_0 = tl_load_word(strip + 2);
        const uint32_t upper_1 = tl_load_word(strip + TL_STRIP_COLUMN);
        const uint32_t lower_1 = tl_load_word(strip + TL_STRIP_COLUMN + 2);
        tl_store_word(strip, lower_0);
        tl_store_word(strip + TL_STRIP_COLUMN, lower_1);
        *sums = tl_smlatb(right_12, lower_0, tl_smlad(right_01, upper_0, sum));
        sum = tl_smlatb(left_12, lower_0, tl_smuad(left_01, upper_0));
        sum = tl_smlatb(middle_12, lower_1, tl_smlad(middle_01, upper_1, sum));
        sums += apart;
        strip += 2 * TL_STRIP_COLUMN;
    }
#endif
#else
    for (int32_t x = 2; x < columns; x += 2) {
        sums += apart;
        *sums = tl_window_sum(strip + (x - 2) * TL_STRIP_COLUMN, weights);
    }
    for (int32_t x = 0; x < columns; x++) {
        int16_t *column = strip + x * TL_STRIP_COLUMN;
        column[0] = column[2], column[1] = column[3];
    }
#endif
}

#endif
