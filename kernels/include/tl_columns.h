/* SPDX-License-Identifier: MIT
 * Filling the int16 columns of tl_matmul_2_columns_s8 from windows of the input, two output pixels at a time. A
 * column's pairs of elements lie 4 elements apart, those of the other column between them. Inline, so that each kernel
 * gets its loops without a call per pixel. */
#ifndef TL_COLUMNS_H
#define TL_COLUMNS_H

#include "tl_convolution.h"
#include "tl_residual.h"
#include "tl_support.h"

/** Elements per column: padded rows of the window, filled up to a multiple of 8, which is a turn of the matrix kernel.
 */
TL_INLINE int32_t tl_column_length(int32_t rows, int32_t row_length)
{
    return (rows * row_length + 7) & ~7;
}

#if defined(TL_ASM_LOOPS)
/* The bytes of a word to two pairs of a column, by way of %[even]. */
#define TL_WIDEN_QUAD(word, offset)                                                        \
    "sxtb16 %[even], " word "\n sxtb16 " word ", " word ", ror #8\n"                       \
    "str.w %[even], [%[column], #" #offset "]\n str.w " word ", [%[column], #" #offset "+8]\n"
#endif

/** Widens 4 * quads bytes; each four elements are stored as 0, 2, 1, 3. */
TL_INLINE void tl_widen_quads(const int8_t *source, int32_t quads, int16_t *column)
{
#if defined(TL_USE_DSP)
#if defined(TL_ASM_LOOPS)
    if (quads >= 4) {
        uint32_t word_0, word_1, word_2, word_3, even;
        quads -= 4;
        /* clang-format off */
        __asm__ volatile(".p2align 2\n 1:\n ldr.w %[word_0], [%[source]], #16\n ldr.w %[word_1], [%[source], #-12]\n"
                         "ldr.w %[word_2], [%[source], #-8]\n ldr.w %[word_3], [%[source], #-4]\n"
                         "sxtb16 %[even], %[word_0]\n sxtb16 %[word_0], %[word_0], ror #8\n str.w %[even], [%[column]], #64\n"
                         TL_WIDEN_QUAD("%[word_1]", -48) TL_WIDEN_QUAD("%[word_2]", -32) TL_WIDEN_QUAD("%[word_3]", -16)
                         "str.w %[word_0], [%[column], #-56]\n subs.w %[quads], %[quads], #4\n bge 1b\n"
                         : [source] "+r"(source), [column] "+r"(column), [quads] "+r"(quads), [word_0] "=&r"(word_0),
                           [word_1] "=&r"(word_1), [word_2] "=&r"(word_2), [word_3] "=&r"(word_3), [even] "=&r"(even)
                         :
                         : "cc", "memory");
        /* clang-format on */
        quads += 4;
    }
#endif
    for (; quads > 0; quads--) {
        const uint32_t word = tl_load_word(source);
        source += 4;
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
}

/** Both columns at once, four elements of each by turns: columns are pairs of elements by turns, in the order 0, 2,
 * 1, 3. */
TL_INLINE void tl_widen_two_pixels(const int8_t *pixel_0, const int8_t *pixel_1, int32_t quads, int16_t *columns)
{
#if defined(TL_USE_DSP)
    for (; quads > 0; quads--) {
        const uint32_t word_0 = tl_load_word(pixel_0);
        const uint32_t word_1 = tl_load_word(pixel_1);
        pixel_0 += 4;
        pixel_1 += 4;
        tl_store_word(columns, tl_sxtb16(word_0));
        tl_store_word(columns + 2, tl_sxtb16(word_1));
        tl_store_word(columns + 4, tl_sxtb16_ror8(word_0));
        tl_store_word(columns + 6, tl_sxtb16_ror8(word_1));
        columns += 8;
    }
#else
    tl_widen_quads(pixel_0, quads, columns);
    tl_widen_quads(pixel_1, quads, columns + 2);
#endif
}

/** Where element `index` of a column lies. */
TL_INLINE int16_t *tl_column_at(int16_t *column, int32_t index)
{
    return column + 4 * (index >> 1) + (index & 1);
}

#if defined(TL_USE_DSP)
/** Four bytes in their order to two pairs of a column. */
TL_INLINE void tl_store_quad(uint32_t word, int16_t *pair)
{
    const uint32_t even = tl_sxtb16(word);
    const uint32_t odd = tl_sxtb16_ror8(word);
    tl_store_word(pair, tl_pkhbt(even, odd));
    tl_store_word(pair + 4, tl_pkhtb(odd, even));
}
#endif

/** Widens `count` bytes in their order to elements index.. of the column. */
TL_INLINE void tl_widen_run(const int8_t *source, int32_t count, int16_t *column, int32_t index)
{
    int16_t *pair = tl_column_at(column, index);
    if ((index & 1) != 0 && count > 0) {
        *pair = *source++;
        pair += 3;
        count--;
    }
#if defined(TL_USE_DSP)
    for (; count >= 8; count -= 8) {
        const uint32_t word_0 = tl_load_word(source);
        const uint32_t word_1 = tl_load_word(source + 4);
        tl_store_quad(word_0, pair);
        tl_store_quad(word_1, pair + 8);
        source += 8;
        pair += 16;
    }
    if (count >= 4) {
        tl_store_quad(tl_load_word(source), pair);
        source += 4;
        pair += 8;
        count -= 4;
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
    int16_t *place = tl_column_at(column, index);
    int32_t step = (index & 1) != 0 ? 3 : 1;
    for (; count > 0; count--) {
        *place = value;
        place += step;
        step ^= 2; /* 1 within a pair, 3 to the next one */
    }
}

/** In which order elements are stored, known to each kernel when it is compiled. quads: runs are multiples of 4
 * elements. */
typedef enum { TL_ORDER_QUADS, TL_ORDER_NATURAL } tl_column_order;

/** Widens `count` elements to element `index` of the column. */
TL_INLINE void tl_widen(tl_column_order order, const int8_t *source, int32_t count, int16_t *column, int32_t index)
{
    if (order == TL_ORDER_QUADS) {
        tl_widen_quads(source, count / 4, tl_column_at(column, index));
    } else {
        tl_widen_run(source, count, column, index);
    }
}

/** What all columns of a layer have in common. */
typedef struct {
    const tl_conv_params *params;
    const tl_dims *input_dims;
    const tl_dims *filter_dims;
    int32_t row_length; /* elements per row of the window, filling included */
} tl_window;

/** A window wholly inside the input and not dilated across: each of its rows is one run of bytes. */
TL_INLINE void
tl_fill_inner_column(const tl_window *window, const int8_t *source, tl_column_order order, int16_t *column)
{
    const int32_t count = window->filter_dims->w * window->input_dims->c;
    const int32_t row_step = window->params->dilation.h * window->input_dims->w * window->input_dims->c;
    const int32_t column_step = 2 * window->row_length;
    for (int32_t ky = window->filter_dims->h; ky > 0; ky--) {
        tl_widen(order, source, count, column, 0);
        source += row_step;
        column += column_step;
    }
}

/** Any window; taps outside the input become the input's zero point. */
TL_INLINE void tl_fill_border_column(
    const tl_window *window, const int8_t *input, int32_t top, int32_t left, tl_column_order order, int16_t *column)
{
    const tl_conv_params *params = window->params;
    const int32_t input_w = window->input_dims->w;
    const int32_t channels = window->input_dims->c;
    const int16_t zero = (int16_t)-params->input_offset;
    /* Taps side by side are one run of bytes unless the window is dilated. */
    const int32_t taps = params->dilation.w == 1 ? window->filter_dims->w : 1;
    for (int32_t kx = 0; kx < window->filter_dims->w; kx += taps) {
        const int32_t x = left + kx * params->dilation.w;
        const int32_t taps_before = tl_clamp(-x, 0, taps);
        const int32_t before = taps_before * channels;
        const int32_t inside = tl_clamp(tl_min(taps, input_w - x) - taps_before, 0, taps) * channels;
        const int32_t after = taps * channels - before - inside;
        const int8_t *source = input + (top * input_w + x) * channels + before;
        int32_t index = kx * channels;
        for (int32_t ky = 0; ky < window->filter_dims->h; ky++) {
            const int32_t y = top + ky * params->dilation.h;
            if (y >= 0 && y < window->input_dims->h && inside > 0) {
                tl_fill_run(zero, before, column, index);
                tl_widen(order, source, inside, column, index + before);
                tl_fill_run(zero, after, column, index + before + inside);
            } else {
                tl_fill_run(zero, taps * channels, column, index);
            }
            source += params->dilation.h * input_w * channels;
            index += window->row_length;
        }
    }
}

/** Columns to the channels of two neighbouring output pixels, or of one if both are the same. */
TL_INLINE void tl_store_pixels(const int16_t *columns,
                               int32_t pairs,
                               const int8_t *filter,
                               const int32_t *constants,
                               int32_t channels,
                               int8_t *first,
                               int8_t *second,
                               const tl_residual *residual)
{
    if (residual == NULL) {
        tl_matmul_2_columns_s8(columns, pairs, filter, constants, channels, first, second);
        return;
    }
    const int32_t distance = (int32_t)(second - first);
    int8_t *pixels = residual->pixels;
    tl_matmul_2_columns_s8(columns, pairs, filter, constants, channels, pixels, pixels + distance);
    tl_add_residual(residual, distance + channels, first);
}

/** The loop over output pixels: two columns are filled, then multiplied; a last single one is multiplied beside stale
 * values. Without a residual (NULL) the products are the output. */
TL_INLINE void tl_convolve_columns(const tl_context *ctx,
                                   const tl_window *window,
                                   const int8_t *input,
                                   const int8_t *filter,
                                   const int32_t *constants,
                                   const tl_dims *output_dims,
                                   int8_t *output,
                                   tl_column_order order,
                                   const tl_residual *residual)
{
    const tl_conv_params *params = window->params;
    const int32_t length = tl_column_length(window->filter_dims->h, window->row_length);
    const int32_t channels = output_dims->c;
    int16_t *columns = (int16_t *)ctx->buf;
    int8_t *first = NULL; /* where the pixel in column 0 goes, while it waits for a second one */
    int8_t *next = output;
    /* Largest places of a window inside the input; none if it is dilated across. */
    const int32_t top_max = window->input_dims->h - 1 - (window->filter_dims->h - 1) * params->dilation.h;
    const int32_t left_max = params->dilation.w == 1 ? window->input_dims->w - window->filter_dims->w : -1;
    const int32_t pixel_step = params->stride.w * window->input_dims->c;
    /* Filling elements have weight 0, but they have to be something. */
    memset(columns, 0, 2 * sizeof(int16_t) * (size_t)length);
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int32_t top = y * params->stride.h - params->padding.h;
            int32_t left = -params->padding.w;
            const int8_t *source = input + (top * window->input_dims->w + left) * window->input_dims->c;
            for (int32_t x = output_dims->w; x > 0; x--) {
                int16_t *column = columns + (first == NULL ? 0 : 2);
                if (top >= 0 && top <= top_max && left >= 0 && left <= left_max) {
                    tl_fill_inner_column(window, source, order, column);
                } else {
                    tl_fill_border_column(window, input, top, left, order, column);
                }
                if (first == NULL) {
                    first = next;
                } else {
                    tl_store_pixels(columns, length / 2, filter, constants, channels, first, next, residual);
                    first = NULL;
                }
                next += channels;
                left += params->stride.w;
                source += pixel_step;
            }
        }
        input += window->input_dims->h * window->input_dims->w * window->input_dims->c;
    }
    if (first != NULL) {
        tl_store_pixels(columns, length / 2, filter, constants, channels, first, first, residual);
    }
    const tl_activation *activation = residual == NULL ? &params->activation : &residual->params->activation;
    if (activation->min > -128 || activation->max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), activation);
    }
}

#endif
