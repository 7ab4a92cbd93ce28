/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h, and to tl_depthwise_strip.h for the strip. Two output lines at a time need four input
 * lines. Walking along the strip, each column finishes one pair of outputs, continues the next and starts the one
 * after. */
#include "tl_convolution.h"
#include "tl_depthwise_rescale.h"
#include "tl_depthwise_strip.h"
#include "tl_support.h"

/* Columns of the strip: a window's two more than outputs, filled up to an even number for the loop over two of them. */
TL_INLINE int32_t strip_columns(const tl_dims *output_dims)
{
    return (tl_max(output_dims->h, output_dims->w) + 3) & ~1;
}

int32_t tl_depthwise_conv_3x3_s8_get_buffer_size(const tl_dims *output_dims)
{
    return strip_columns(output_dims) * TL_STRIP_COLUMN_BYTES;
}

#if defined(TL_ASM_LOOPS)
/* clang-format off */
/* One column: finish the outputs f0, f1 (right column of the window), continue g0, g1 (middle), start f0, f1 anew (left). */
#define SUM_COLUMN(f0, f1, g0, g1)                                                                                \
    "ldr %[upper], [%[strip]], #32\n ldr %[lower], [%[strip], #-28]\n str %[lower], [%[strip], #-32]\n"           \
    "smlad " f0 ", %[right_01], %[upper], " f0 "\n smlabt " f1 ", %[right_01], %[upper], " f1 "\n"               \
    "smlatb " f0 ", %[right_12], %[lower], " f0 "\n smlad " f1 ", %[right_12], %[lower], " f1 "\n"               \
    "str " f0 ", [%[sums]], #8\n str " f1 ", [%[sums], #-4]\n"                                                   \
    "smlad " g0 ", %[middle_01], %[upper], " g0 "\n smlabt " g1 ", %[middle_01], %[upper], " g1 "\n"             \
    "smlatb " g0 ", %[middle_12], %[lower], " g0 "\n smlad " g1 ", %[middle_12], %[lower], " g1 "\n"             \
    "smuad " f0 ", %[left_01], %[upper]\n smulbt " f1 ", %[left_01], %[upper]\n"                                 \
    "smlatb " f0 ", %[left_12], %[lower], " f0 "\n smlad " f1 ", %[left_12], %[lower], " f1 "\n"

/* sum_run with all its 14 values in registers; columns is even. Turns of 4 columns, the first one of 2 if that is what is over. */
#define SUM_COLUMNS(strip, sums, columns)                                                                          \
    do {                                                                                                           \
        const int16_t *const end = strip + columns * TL_STRIP_COLUMN;                                                \
        uint32_t upper = (uint32_t)columns, lower;                                                                 \
        int32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;                                                                    \
        __asm__ volatile("tst %[upper], #2\n bne 2f\n"                                                             \
                         "1:\n" SUM_COLUMN("%[a0]", "%[a1]", "%[b0]", "%[b1]")                                     \
                         SUM_COLUMN("%[b0]", "%[b1]", "%[a0]", "%[a1]")                                            \
                         "2:\n" SUM_COLUMN("%[a0]", "%[a1]", "%[b0]", "%[b1]")                                     \
                         SUM_COLUMN("%[b0]", "%[b1]", "%[a0]", "%[a1]")                                            \
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

/* Sums of one channel along the strip; sums[0..3] get values that belong to no output. weights: 3 columns of bytes {w0,
 * w1, w1, w2}. */
TL_INLINE void sum_run(int16_t *strip, int32_t columns, const int8_t *weights, int32_t *sums)
{
#if defined(TL_USE_DSP)
    const uint32_t word_0 = tl_load_word(weights), word_1 = tl_load_word(weights + 4),
                   word_2 = tl_load_word(weights + 8);
    const uint32_t left_01 = tl_sxtb16(word_0), left_12 = tl_sxtb16_ror8(word_0);
    const uint32_t middle_01 = tl_sxtb16(word_1), middle_12 = tl_sxtb16_ror8(word_1);
    const uint32_t right_01 = tl_sxtb16(word_2), right_12 = tl_sxtb16_ror8(word_2);
#if defined(SUM_COLUMNS)
    SUM_COLUMNS(strip, sums, columns);
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
    for (int32_t x = 0; x < columns; x++) {
        sums[2 * x] = 0;
        sums[2 * x + 1] = 0;
        for (int32_t kx = 0; kx < 3 && x >= 2; kx++) {
            const int16_t *column = strip + (x - 2 + kx) * TL_STRIP_COLUMN;
            const int32_t w0 = weights[4 * kx], w1 = weights[4 * kx + 1], w2 = weights[4 * kx + 3];
            sums[2 * x] += w0 * column[0] + w1 * column[1] + w2 * column[2];
            sums[2 * x + 1] += w0 * column[1] + w1 * column[2] + w2 * column[3];
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
    const int32_t step = plane->output_run_step;
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines; line += 2) {
        tl_fill_pair(plane, input, line + 2 - plane->line_padding, strip + 2);
        for (int32_t c = 0; c < 4; c++) {
            int8_t *line_0 = output + c;
            sum_run(strip + 4 * c, plane->columns, filter + 12 * c, sums);
            if (line + 1 < plane->lines) {
                int8_t *line_1 = line_0 + plane->output_line_step;
                tl_rescale_two_lines(sums + 4, plane->run, constants + 4 * c, line_0, line_1, step);
            } else {
                tl_rescale_line(sums + 4, plane->run, constants + 4 * c, line_0, step);
            }
        }
        output += 2 * plane->output_line_step;
    }
}

tl_status tl_depthwise_conv_3x3_s8(const tl_context *ctx,
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
