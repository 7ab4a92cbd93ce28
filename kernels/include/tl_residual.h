/* SPDX-License-Identifier: MIT
 * Adding a residual to the pixels of a convolution as they are made: tl_elementwise_add_s8, a few elements at a time,
 * so that the convolution's own output never has to be held. */
#ifndef TL_RESIDUAL_H
#define TL_RESIDUAL_H

#include "tl_add_support.h"

/** Entries of the table of the rescaled narrow input, one per byte. */
#define TL_RESIDUAL_TABLE 256

typedef struct {
    const tl_add_params *params; /* output_shift in [-22, -1] */
    int32_t
        sum_is_narrow; /* 1: the convolution's result is the narrow input of the addition, the residual the wide one */
    const int8_t *values; /* the residual, shaped as the output */
    const int8_t *output; /* where the output begins */
    int32_t *table;       /* TL_RESIDUAL_TABLE values of scratch */
    int8_t *pixels;       /* the convolution's result for two pixels */
} tl_residual;

/** Twice the sum of the rescaled narrow value (an int8 whose byte is the index) and the rescaled offset of the wide
 * input. */
TL_INLINE void tl_fill_residual_table(const tl_residual *residual)
{
    const tl_add_params params = *residual->params;
    for (int32_t i = 0; i < TL_RESIDUAL_TABLE; i++) {
        const int32_t narrow = i < 128 ? i : i - TL_RESIDUAL_TABLE;
        residual->table[i] = 2 * (tl_add_scale_narrow(&params, narrow) + tl_add_scale_wide(&params, 0));
    }
}

/** `count` elements of residual->pixels and of the residual to `output`, which lies in the whole output. tl_rescale_s8
 * is TFLite's rescaling here too: |sum| < 2^29, and the addend, 2^(shift - 1) + (zero point << shift), stays below
 * 2^30. */
TL_INLINE void tl_add_residual(const tl_residual *residual, int32_t count, int8_t *output)
{
    const int8_t *values = residual->values + (output - residual->output);
    const int8_t *narrow = residual->sum_is_narrow ? residual->pixels : values;
    const int8_t *wide = residual->sum_is_narrow ? values : residual->pixels;
    const int32_t *table = residual->table;
    const int32_t multiplier = residual->params->output_multiplier;
    const int32_t shift = -residual->params->output_shift;
    const int32_t addend = (1 << (shift - 1)) + residual->params->output_offset * (1 << shift);
    for (; count > 0; count--) {
        const int32_t twice_sum = table[(uint8_t)*narrow++] + *wide++ * (1 << TL_ADD_LEFT_SHIFT);
        *output++ = (int8_t)tl_rescale_s8(twice_sum, multiplier, addend, shift);
    }
}

#endif
