/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h, and to tl_depthwise_strip.h for the strip. One output line at a time needs three input
 * lines, of which the third is the first of the next. Columns are taken in twos: the first finishes an output and
 * starts the next one, the second continues it. */
#include "tl_convolution.h"
#include "tl_depthwise_rescale.h"
#include "tl_depthwise_strip.h"
#include "tl_support.h"

/* Two columns per output, and two in which the last output is finished. */
TL_INLINE int32_t strip_columns(const tl_dims *output_dims)
{
    return 2 * tl_max(output_dims->h, output_dims->w) + 2;
}

int32_t tl_depthwise_conv_3x3_stride2_s8_get_buffer_size(const tl_dims *output_dims)
{
    return strip_columns(output_dims) * TL_STRIP_COLUMN_BYTES;
}

/* Sums of one channel along the strip, two int32 apart; the first belongs to no output. weights: 3 columns of {w0, w1,
 * w1, w2}. */
TL_INLINE void sum_run(int16_t *strip, int32_t columns, const int8_t *weights, int32_t *sums)
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
    __asm__ volatile("1:\n ldr %[upper_0], [%[strip]], #64\n ldr %[lower_0], [%[strip], #-60]\n"
                     "ldr %[upper_1], [%[strip], #-32]\n ldr %[lower_1], [%[strip], #-28]\n"
                     "str %[lower_0], [%[strip], #-64]\n str %[lower_1], [%[strip], #-32]\n"
                     "smlad %[sum], %[right_01], %[upper_0], %[sum]\n smlatb %[sum], %[right_12], %[lower_0], %[sum]\n"
                     "str %[sum], [%[sums]], #8\n"
                     "smuad %[sum], %[left_01], %[upper_0]\n smlatb %[sum], %[left_12], %[lower_0], %[sum]\n"
                     "smlad %[sum], %[middle_01], %[upper_1], %[sum]\n smlatb %[sum], %[middle_12], %[lower_1], %[sum]\n"
                     "ldr %[upper_0], %[end]\n cmp %[strip], %[upper_0]\n bne 1b\n"
                     : [sum] "+r"(sum), [strip] "+r"(strip), [sums] "+r"(sums), [upper_0] "=&r"(upper_0),
                       [lower_0] "=&r"(lower_0), [upper_1] "=&r"(upper_1), [lower_1] "=&r"(lower_1)
                     : [left_01] "r"(left_01), [left_12] "r"(left_12), [middle_01] "r"(middle_01), [middle_12] "r"(middle_12),
                       [right_01] "r"(right_01), [right_12] "r"(right_12), [end] "m"(end)
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
        sums += 2;
        strip += 2 * TL_STRIP_COLUMN;
    }
#endif
#else
    for (int32_t x = 0; x < columns; x += 2) {
        sums[x] = 0;
        for (int32_t kx = 0; kx < 3 && x >= 2; kx++) {
            const int16_t *column = strip + (x - 2 + kx) * TL_STRIP_COLUMN;
            sums[x] += weights[4 * kx] * column[0] + weights[4 * kx + 1] * column[1] + weights[4 * kx + 3] * column[2];
        }
    }
    for (int32_t x = 0; x < columns; x++) {
        memcpy(strip + x * TL_STRIP_COLUMN, strip + x * TL_STRIP_COLUMN + 2, 2 * sizeof(int16_t));
    }
#endif
}

static void convolve_four_channels(const tl_plane *plane,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   int16_t *strip,
                                   int8_t *output)
{
    int32_t *sums = tl_strip_sums(plane, strip);
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines; line++) {
        tl_fill_pair(plane, input, 2 * line + 2 - plane->line_padding, strip + 2);
        for (int32_t c = 0; c < 4; c++) {
            sum_run(strip + 4 * c, plane->columns, filter + 12 * c, sums);
            tl_rescale_line(sums + 2, plane->run, constants + 4 * c, output + c, plane->output_run_step);
        }
        output += plane->output_line_step;
    }
}

tl_status tl_depthwise_conv_3x3_stride2_s8(const tl_context *ctx,
                                           const tl_depthwise_params *params,
                                           const tl_dims *input_dims,
                                           const int8_t *input,
                                           const int8_t *filter,
                                           const int32_t *constants,
                                           const tl_dims *output_dims,
                                           int8_t *output)
{
    tl_depthwise_strip(ctx,
                       params,
                       input_dims,
                       input,
                       filter,
                       constants,
                       output_dims,
                       output,
                       strip_columns(output_dims),
                       convolve_four_channels);
    return TL_OK;
}
