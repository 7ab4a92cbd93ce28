/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. Works on 4 channels and two output lines at a time. The 4 input lines these need are held
 * as int16 pairs of lines per column in the "strip": {channel: {lines 0 and 1, lines 2 and 3}}, so that SMLAD
 * multiplies two taps of one channel. Walking along the strip, each column finishes one pair of outputs, continues the
 * next and starts the one after. The sums of a walk go to a row of int32, which a second loop rescales with its
 * constants in registers. Lines 2 and 3 are lines 0 and 1 of the next two output lines. */
#include "tl_convolution.h"
#include "tl_support.h"

/* Columns of the strip: a window's two more than outputs, and filled up to an even number for the loop over two of
 * them. */
TL_INLINE int32_t strip_columns(int32_t run)
{
    return (run + 3) & ~1;
}

/* int16 values per column: 4 channels, 2 pairs of lines. */
#define COLUMN_VALUES 16

/* Lines are what the kernel goes down, the run is what it goes along: the longer side of the output. */
typedef struct {
    int32_t run;   /* output columns */
    int32_t lines; /* output lines */
    int32_t input_run;
    int32_t input_lines;
    int32_t run_step; /* bytes to the next column, of input and output alike */
    int32_t input_line_step;
    int32_t output_line_step;
    int32_t run_padding;
    int32_t line_padding;
    int32_t output_run_step;
} tl_plane;

int32_t tl_depthwise_conv_3x3_s8_get_buffer_size(const tl_dims *output_dims)
{
    const int32_t columns = strip_columns(tl_max(output_dims->h, output_dims->w));
    return columns * (COLUMN_VALUES * (int32_t)sizeof(int16_t) + 2 * (int32_t)sizeof(int32_t));
}

/* One pair of lines of 4 channels into the strip; a line outside the input is a word of zero points with step 0. */
static void
fill_lines(const int8_t *line_0, int32_t step_0, const int8_t *line_1, int32_t step_1, int32_t columns, int16_t *strip)
{
    for (; columns > 0; columns--) {
#if defined(TL_USE_DSP)
        const uint32_t word_0 = tl_load_word(line_0);
        const uint32_t word_1 = tl_load_word(line_1);
        const uint32_t outer_0 = tl_sxtb16(word_0);
        const uint32_t inner_0 = tl_sxtb16_ror8(word_0);
        const uint32_t outer_1 = tl_sxtb16(word_1);
        const uint32_t inner_1 = tl_sxtb16_ror8(word_1);
        tl_store_word(strip, tl_pkhbt(outer_0, outer_1));
        tl_store_word(strip + 4, tl_pkhbt(inner_0, inner_1));
        tl_store_word(strip + 8, tl_pkhtb(outer_1, outer_0));
        tl_store_word(strip + 12, tl_pkhtb(inner_1, inner_0));
#else
        for (int32_t c = 0; c < 4; c++) {
            strip[4 * c] = line_0[c];
            strip[4 * c + 1] = line_1[c];
        }
#endif
        line_0 += step_0;
        line_1 += step_1;
        strip += COLUMN_VALUES;
    }
}

#if defined(TL_DSP_ASM) && defined(__OPTIMIZE__)
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
        const int16_t *const end = strip + columns * COLUMN_VALUES;                                                \
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
        strip += COLUMN_VALUES;
    }
#endif
#else
    for (int32_t x = 0; x < columns; x++) {
        sums[2 * x] = 0;
        sums[2 * x + 1] = 0;
        for (int32_t kx = 0; kx < 3 && x >= 2; kx++) {
            const int16_t *column = strip + (x - 2 + kx) * COLUMN_VALUES;
            const int32_t w0 = weights[4 * kx], w1 = weights[4 * kx + 1], w2 = weights[4 * kx + 3];
            sums[2 * x] += w0 * column[0] + w1 * column[1] + w2 * column[2];
            sums[2 * x + 1] += w0 * column[1] + w1 * column[2] + w2 * column[3];
        }
    }
    for (int32_t x = 0; x < columns; x++) {
        memcpy(strip + x * COLUMN_VALUES, strip + x * COLUMN_VALUES + 2, 2 * sizeof(int16_t));
    }
#endif
}

#if defined(TL_DSP_ASM) && defined(__OPTIMIZE__)
/* clang-format off */
/* tl_rescale_s8 of bias + sum, into `value`. */
#define RESCALE_SUM(sum)                                                                                          \
    "add " sum ", %[twice_bias], " sum ", lsl #1\n smmlar %[value], " sum ", %[multiplier], %[addend]\n"           \
    "add %[value], %[value], " sum ", asr #31\n asr %[value], %[value], %[shift]\n ssat %[value], #8, %[value]\n"
/* clang-format on */
#endif

/* Two output lines of one channel. line_1 may equal line_0 where there is only one line: its values are overwritten at
 * once. */
TL_INLINE void
rescale_run(const int32_t *sums, int32_t count, const int32_t *constants, int8_t *line_0, int8_t *line_1, int32_t step)
{
    const int32_t twice_bias = tl_wrap_add(constants[0], constants[0]);
    const int32_t multiplier = constants[1], addend = constants[2], shift = constants[3];
#if defined(RESCALE_SUM)
    if (count > 1) {
        int32_t s0, s1, s2, s3, value;
        count -= 2;
        /* clang-format off */
        /* Two columns per turn. The loads come in a run, so that all but the first take one cycle. */
        __asm__ volatile("1:\n ldr %[s0], [%[sums]], #16\n ldr %[s1], [%[sums], #-12]\n"
                         "ldr %[s2], [%[sums], #-8]\n ldr %[s3], [%[sums], #-4]\n"
                         RESCALE_SUM("%[s1]") "strb %[value], [%[line_1]]\n add %[line_1], %[line_1], %[step]\n"
                         RESCALE_SUM("%[s0]") "strb %[value], [%[line_0]]\n add %[line_0], %[line_0], %[step]\n"
                         RESCALE_SUM("%[s3]") "strb %[value], [%[line_1]]\n add %[line_1], %[line_1], %[step]\n"
                         RESCALE_SUM("%[s2]") "strb %[value], [%[line_0]]\n add %[line_0], %[line_0], %[step]\n"
                         "subs %[count], %[count], #2\n bge 1b\n"
                         : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [value] "=&r"(value), [sums] "+r"(sums),
                           [line_0] "+r"(line_0), [line_1] "+r"(line_1), [count] "+r"(count)
                         : [step] "r"(step), [twice_bias] "r"(twice_bias), [multiplier] "r"(multiplier), [addend] "r"(addend),
                           [shift] "r"(shift)
                         : "cc", "memory");
        /* clang-format on */
        count += 2;
    }
#endif
    for (; count > 0; count--) {
        const int32_t sum_0 = tl_wrap_add(twice_bias, 2 * sums[0]);
        const int32_t sum_1 = tl_wrap_add(twice_bias, 2 * sums[1]);
        sums += 2;
        *line_1 = (int8_t)tl_rescale_s8(sum_1, multiplier, addend, shift);
        *line_0 = (int8_t)tl_rescale_s8(sum_0, multiplier, addend, shift);
        line_0 += step;
        line_1 += step;
    }
}

/* Lines `line` and `line + 1` of the input (they may lie outside it) into the strip. */
static void
fill_pair(const tl_plane *plane, const int8_t *input, int32_t line, const int8_t *zero_points, int16_t *strip)
{
    const int8_t *lines[2];
    int32_t steps[2];
    for (int32_t i = 0; i < 2; i++) {
        const int32_t is_inside = line + i >= 0 && line + i < plane->input_lines;
        lines[i] = is_inside ? input + (line + i) * plane->input_line_step : zero_points;
        steps[i] = is_inside ? plane->run_step : 0;
    }
    fill_lines(lines[0], steps[0], lines[1], steps[1], plane->input_run, strip + plane->run_padding * COLUMN_VALUES);
}

/* All lines of 4 channels. */
static void convolve_four_channels(const tl_plane *plane,
                                   const int8_t *input,
                                   const int8_t *zero_points,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   int16_t *strip,
                                   int8_t *output)
{
    const int32_t columns = strip_columns(plane->run);
    int32_t *sums = (int32_t *)(void *)(strip + columns * COLUMN_VALUES);
    fill_pair(plane, input, -plane->line_padding, zero_points, strip);
    for (int32_t line = 0; line < plane->lines; line += 2) {
        fill_pair(plane, input, line + 2 - plane->line_padding, zero_points, strip + 2);
        int8_t *line_0 = output + line * plane->output_line_step;
        int8_t *line_1 = line + 1 < plane->lines ? line_0 + plane->output_line_step : line_0;
        for (int32_t c = 0; c < 4; c++) {
            sum_run(strip + 4 * c, columns, filter + 12 * c, sums);
            rescale_run(sums + 4, plane->run, constants + 4 * c, line_0 + c, line_1 + c, plane->output_run_step);
        }
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
    const int32_t channels = input_dims->c;
    const int32_t is_upright = output_dims->h > output_dims->w;
    const int32_t input_row = input_dims->w * channels;
    const int32_t output_row = output_dims->w * channels;
    const tl_plane across = {output_dims->w,
                             output_dims->h,
                             input_dims->w,
                             input_dims->h,
                             channels,
                             input_row,
                             output_row,
                             params->padding.w,
                             params->padding.h,
                             channels};
    const tl_plane down = {output_dims->h,
                           output_dims->w,
                           input_dims->h,
                           input_dims->w,
                           input_row,
                           channels,
                           channels,
                           params->padding.h,
                           params->padding.w,
                           output_row};
    const tl_plane *plane = is_upright ? &down : &across;
    int16_t *strip = (int16_t *)ctx->buf;
    const int8_t zero_point = (int8_t)-params->input_offset;
    const int8_t zero_points[4] = {zero_point, zero_point, zero_point, zero_point};
    for (int32_t i = 0; i < strip_columns(plane->run) * COLUMN_VALUES; i++) {
        strip[i] = zero_point;
    }
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t c = 0; c < channels; c += 4) {
            convolve_four_channels(plane,
                                   input + c,
                                   zero_points,
                                   filter + 12 * c,
                                   constants + 4 * c,
                                   strip,
                                   output + c);
        }
        input += input_dims->h * input_row;
        output += output_dims->h * output_row;
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        const int32_t count = output_dims->n * output_dims->h * output_row;
        tl_clamp_s8(output - count, count, &params->activation);
    }
    return TL_OK;
}
