/* SPDX-License-Identifier: MIT
 * What the strip kernels (tl_depthwise_conv_3x3_s8 and its stride-2 sister) share. They work on 4 channels of a few
 * lines at a time, held in scratch as int16 pairs of lines per column, the "strip": {channel: {lines 0 and 1, lines 2
 * and 3}}, so that SMLAD multiplies two taps of one channel. Walking along the strip gives a row of sums in 32 bits,
 * which a second loop (tl_depthwise_rescale.h) rescales. Lines 2 and 3 become lines 0 and 1 of the next walk. */
#ifndef TL_DEPTHWISE_STRIP_H
#define TL_DEPTHWISE_STRIP_H

#include "tl_convolution.h"
#include "tl_support.h"

/** int16 values per column of the strip: 4 channels, 2 pairs of lines. */
#define TL_STRIP_COLUMN 16
/** Bytes of scratch per column: the strip and two sums. */
#define TL_STRIP_COLUMN_BYTES (TL_STRIP_COLUMN * (int32_t)sizeof(int16_t) + 2 * (int32_t)sizeof(int32_t))

/** Lines are what a kernel goes down, the run is what it goes along: the longer side of the output. Steps are in bytes.
 */
typedef struct {
    int32_t run;   /* output columns */
    int32_t lines; /* output lines */
    int32_t input_run;
    int32_t input_lines;
    int32_t input_run_step;
    int32_t input_line_step;
    int32_t output_run_step;
    int32_t output_line_step;
    int32_t run_padding;
    int32_t line_padding;
    int32_t columns;       /* of the strip */
    int8_t zero_points[4]; /* the input's, for 4 channels outside it */
} tl_plane;

/** Convolves all lines of 4 channels; input, filter, constants and output point at the first of them. */
typedef void (*tl_strip_kernel)(const tl_plane *plane,
                                const int8_t *input,
                                const int8_t *filter,
                                const int32_t *constants,
                                int16_t *strip,
                                int8_t *output);

/** Where the sums of a walk go. */
TL_INLINE int32_t *tl_strip_sums(const tl_plane *plane, int16_t *strip)
{
    return (int32_t *)(void *)(strip + plane->columns * TL_STRIP_COLUMN);
}

/** One pair of lines of 4 channels into the strip; a line outside the input is a word of zero points with step 0. */
TL_INLINE void tl_fill_lines(
    const int8_t *line_0, int32_t step_0, const int8_t *line_1, int32_t step_1, int32_t columns, int16_t *strip)
{
    for (; columns > 0; columns--) {
#if defined(TL_USE_DSP)
        const uint32_t word_0 = tl_load_word(line_0);
        const uint32_t word_1 = tl_load_word(line_1);
        const uint32_t low = tl_pkhbt(word_0, word_1); /* channels 0 and 1 of both lines */
        const uint32_t high = tl_pkhtb(word_1, word_0);
        tl_store_word(strip, tl_sxtb16(low));
        tl_store_word(strip + 4, tl_sxtb16_ror8(low));
        tl_store_word(strip + 8, tl_sxtb16(high));
        tl_store_word(strip + 12, tl_sxtb16_ror8(high));
#else
        for (int32_t c = 0; c < 4; c++) {
            strip[4 * c] = line_0[c];
            strip[4 * c + 1] = line_1[c];
        }
#endif
        line_0 += step_0;
        line_1 += step_1;
        strip += TL_STRIP_COLUMN;
    }
}

/** Lines `line` and `line + 1` of the input (they may lie outside it) to the pair at `strip`. */
static TL_UNUSED void tl_fill_pair(const tl_plane *plane, const int8_t *input, int32_t line, int16_t *strip)
{
    const int8_t *lines[2];
    int32_t steps[2];
    for (int32_t i = 0; i < 2; i++) {
        const int32_t is_inside = line + i >= 0 && line + i < plane->input_lines;
        lines[i] = is_inside ? input + (line + i) * plane->input_line_step : plane->zero_points;
        steps[i] = is_inside ? plane->input_run_step : 0;
    }
    int16_t *first = strip + plane->run_padding * TL_STRIP_COLUMN;
    tl_fill_lines(lines[0], steps[0], lines[1], steps[1], plane->input_run, first);
}

/** Geometry of a layer; `columns`: of the strip. */
TL_INLINE tl_plane tl_plane_of(const tl_depthwise_params *params,
                               const tl_dims *input_dims,
                               const tl_dims *output_dims,
                               int32_t columns)
{
    const int32_t channels = input_dims->c;
    const int32_t is_upright = output_dims->h > output_dims->w;
    const int32_t input_row = input_dims->w * channels;
    const int32_t output_row = output_dims->w * channels;
    const int8_t zero_point = (int8_t)-params->input_offset;
    const tl_plane plane = {
        .run = is_upright ? output_dims->h : output_dims->w,
        .lines = is_upright ? output_dims->w : output_dims->h,
        .input_run = is_upright ? input_dims->h : input_dims->w,
        .input_lines = is_upright ? input_dims->w : input_dims->h,
        .input_run_step = is_upright ? input_row : channels,
        .input_line_step = is_upright ? channels : input_row,
        .output_run_step = is_upright ? output_row : channels,
        .output_line_step = is_upright ? channels : output_row,
        .run_padding = is_upright ? params->padding.h : params->padding.w,
        .line_padding = is_upright ? params->padding.w : params->padding.h,
        .columns = columns,
        .zero_points = {zero_point, zero_point, zero_point, zero_point},
    };
    return plane;
}

/** Columns outside the input keep the zero point throughout. */
TL_INLINE void tl_clear_strip(const tl_plane *plane, int16_t *strip)
{
    for (int32_t i = 0; i < plane->columns * TL_STRIP_COLUMN; i++) {
        strip[i] = plane->zero_points[0];
    }
}

/** The whole kernel: the plane's geometry, then `kernel` for every 4 channels. `columns`: of the strip, per output
 * column and beyond. */
TL_INLINE void tl_depthwise_strip(const tl_context *ctx,
                                  const tl_depthwise_params *params,
                                  const tl_dims *input_dims,
                                  const int8_t *input,
                                  const int8_t *filter,
                                  const int32_t *constants,
                                  const tl_dims *output_dims,
                                  int8_t *output,
                                  int32_t columns,
                                  tl_strip_kernel kernel)
{
    const int32_t channels = input_dims->c;
    const int32_t input_row = input_dims->w * channels;
    const int32_t output_row = output_dims->w * channels;
    const tl_plane plane = tl_plane_of(params, input_dims, output_dims, columns);
    int16_t *strip = (int16_t *)ctx->buf;
    tl_clear_strip(&plane, strip);
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t c = 0; c < channels; c += 4) {
            kernel(&plane, input + c, filter + 12 * c, constants + 4 * c, strip, output + c);
        }
        input += input_dims->h * input_row;
        output += output_dims->h * output_row;
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        const int32_t count = output_dims->n * output_dims->h * output_row;
        tl_clamp_s8(output - count, count, &params->activation);
    }
}

#endif
