/* SPDX-License-Identifier: MIT
 * Filling the int16 columns of tl_matmul_2_columns_s8 from windows of the input, two output pixels at a time. A column's pairs of elements
 * lie 4 elements apart, those of the other column between them. Inline, so that each kernel gets its loops without a call per pixel. */
#ifndef TL_COLUMNS_H
#define TL_COLUMNS_H

#include "tl_convolution.h"
#include "tl_support.h"

/** Widens 4 * quads bytes; each four elements are stored as 0, 2, 1, 3. Returns the place of the next pair. */
TL_INLINE int16_t *tl_widen_quads(const int8_t *source, int32_t quads, int16_t *column)
{
#if defined(TL_USE_DSP)
    for (; quads >= 2; quads -= 2) {
        const uint32_t word_0 = tl_load_word(source);
        const uint32_t word_1 = tl_load_word(source + 4);
        source += 8;
        tl_store_word(column, tl_sxtb16(word_0));
        tl_store_word(column + 4, tl_sxtb16_ror8(word_0));
        tl_store_word(column + 8, tl_sxtb16(word_1));
        tl_store_word(column + 12, tl_sxtb16_ror8(word_1));
        column += 16;
    }
    if (quads > 0) {
        const uint32_t word = tl_load_word(source);
        tl_store_word(column, tl_sxtb16(word));
        tl_store_word(column + 4, tl_sxtb16_ror8(word));
        column += 8;
    }
#else
    for (; quads > 0; quads--) {
        column[0] = source[0];
        column[1] = source[2];
        column[4] = source[1];
        column[5] = source[3];
        source += 4;
        column += 8;
    }
#endif
    return column;
}

/** Where element `index` of a column lies. */
TL_INLINE int16_t *tl_column_at(int16_t *column, int32_t index)
{
    return column + 4 * (index >> 1) + (index & 1);
}

/** Widens `count` bytes in their order to elements index.. of the column. */
TL_INLINE void tl_widen_run(const int8_t *source, int32_t count, int16_t *column, int32_t index)
{
    if ((index & 1) != 0 && count > 0) {
        *tl_column_at(column, index++) = *source++;
        count--;
    }
    int16_t *pair = tl_column_at(column, index);
#if defined(TL_USE_DSP)
    for (; count >= 4; count -= 4) {
        const uint32_t word = tl_load_word(source);
        const uint32_t even = tl_sxtb16(word);
        const uint32_t odd = tl_sxtb16_ror8(word);
        source += 4;
        tl_store_word(pair, tl_pkhbt(even, odd));
        tl_store_word(pair + 4, tl_pkhtb(odd, even));
        pair += 8;
    }
#endif
    for (; count >= 2; count -= 2) {
        pair[0] = source[0];
        pair[1] = source[1];
        source += 2;
        pair += 4;
    }
    if (count > 0) {
        pair[0] = source[0];
    }
}

/** Elements index .. index + count - 1 := value, which is what padding looks like. */
TL_INLINE void tl_fill_run(int16_t value, int32_t count, int16_t *column, int32_t index)
{
    for (; count > 0; count--) {
        *tl_column_at(column, index++) = value;
    }
}

/** Widens a whole window at once, or a run of `count` elements to element `index` of the column. */
typedef void (*tl_widen)(const int8_t *source, int32_t count, int16_t *column, int32_t index);

/** The window whose first tap is (top, left); taps outside the input become the input's zero point. */
TL_INLINE void tl_fill_column(const tl_conv_params *params,
                              const tl_dims *input_dims,
                              const int8_t *input,
                              const tl_dims *filter_dims,
                              int32_t top,
                              int32_t left,
                              tl_widen widen,
                              int16_t *column)
{
    const int32_t channels = input_dims->c;
    const int16_t zero = (int16_t)-params->input_offset;
    const int32_t dilated = params->dilation.w != 1;
    /* Taps side by side are one run of bytes unless the window is dilated. */
    const int32_t runs = dilated ? filter_dims->w : 1;
    const int32_t taps = dilated ? 1 : filter_dims->w;
    int32_t index = 0;
    for (int32_t ky = 0; ky < filter_dims->h; ky++) {
        const int32_t y = top + ky * params->dilation.h;
        for (int32_t run = 0; run < runs; run++) {
            const int32_t x = left + run * params->dilation.w;
            int32_t before = tl_clamp(-x, 0, taps);
            int32_t after = tl_clamp(x + taps - input_dims->w, 0, taps);
            if (y < 0 || y >= input_dims->h || before + after >= taps) {
                before = taps;
                after = 0;
            }
            const int32_t inside = taps - before - after;
            if (before > 0) {
                tl_fill_run(zero, before * channels, column, index);
            }
            if (inside > 0) {
                widen(input + (y * input_dims->w + x + before) * channels, inside * channels, column, index + before * channels);
            }
            if (after > 0) {
                tl_fill_run(zero, after * channels, column, index + (before + inside) * channels);
            }
            index += taps * channels;
        }
    }
}

/** The loop over output pixels: two columns are filled, then multiplied; a last single one is multiplied beside stale values. */
TL_INLINE void tl_convolve_columns(const tl_context *ctx,
                                   const tl_conv_params *params,
                                   const tl_dims *input_dims,
                                   const int8_t *input,
                                   const tl_dims *filter_dims,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   const tl_dims *output_dims,
                                   int8_t *output,
                                   tl_widen widen)
{
    const int32_t pairs = (filter_dims->h * filter_dims->w * filter_dims->c + 1) / 2;
    const int32_t channels = output_dims->c;
    int16_t *columns = (int16_t *)ctx->buf;
    int8_t *first = NULL; /* where the pixel in column 0 goes, while it waits for a second one */
    int8_t *next = output;
    columns[4 * pairs - 3] = 0; /* the element that fills up an odd length: weight 0, any defined value */
    columns[4 * pairs - 1] = 0;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            for (int32_t x = 0; x < output_dims->w; x++) {
                tl_fill_column(params, input_dims, input, filter_dims, y * params->stride.h - params->padding.h,
                               x * params->stride.w - params->padding.w, widen, columns + (first == NULL ? 0 : 2));
                if (first == NULL) {
                    first = next;
                } else {
                    tl_matmul_2_columns_s8(columns, pairs, filter, constants, channels, first, next);
                    first = NULL;
                }
                next += channels;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    if (first != NULL) {
        tl_matmul_2_columns_s8(columns, pairs, filter, constants, channels, first, first);
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), &params->activation);
    }
}

#endif
