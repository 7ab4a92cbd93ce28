/* SPDX-License-Identifier: MIT
 * What the kernels of tl_dynamic_s16.h share; not called by generated code. */
#ifndef TL_DYNAMIC_S16_SUPPORT_H
#define TL_DYNAMIC_S16_SUPPORT_H

#include "tl_dynamic_s16.h"
#include "tl_dynamic_support.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Values in units of `multiplier` * 2^(shift - 31) on their way to int16. */
typedef struct {
    int32_t multiplier; /* [2^30, 2^31) */
    int32_t shift;
    int32_t *values; /* |value| <= 2^30 */
    int32_t count;
} tl_units_s16;

/** A layer while its sums are formed. */
typedef struct {
    const tl_dynamic_params_s16 *dynamic;
    const int32_t *constants;
    const int64_t *biases; /* in steps of the sums */
    tl_units_s16 units;
} tl_layer_s16;

/** Biases and units of a layer, laid out in its scratch. */
tl_layer_s16 tl_dynamic_begin_s16(const tl_context *ctx,
                                  const tl_dynamic_params_s16 *dynamic,
                                  const int32_t *constants,
                                  const tl_dims *output_dims,
                                  const int32_t *input_scale);

/** Values to int16 by their largest magnitude, activation included, and the scale that this gives them. */
void tl_dynamic_end_s16(const tl_dynamic_params_s16 *dynamic,
                        tl_units_s16 units,
                        int16_t *output,
                        int32_t *output_scale);

/** The sum of products of channel c, aligned. */
TL_INLINE int32_t tl_align_s16(const tl_layer_s16 *layer, int64_t sum, int32_t c)
{
    const int32_t shift = layer->dynamic->sum_shift;
    const int64_t whole = sum + layer->biases[c];
    const int64_t shifted = shift > 0 ? (whole + ((int64_t)1 << (shift - 1))) >> shift : whole * ((int64_t)1 << -shift);
    return tl_smmulr((int32_t)shifted, layer->constants[2 * c + 1]);
}

/** Factors of terms count in 2^-28 of the coarsest scale. */
#define TL_FACTOR_BITS_S16 28

TL_INLINE int32_t tl_factor_s16(const int32_t *scale, const int32_t *wide)
{
    return tl_rescale_units((int32_t)1 << TL_FACTOR_BITS_S16, scale[0], scale[1], wide[0], wide[1]);
}

/** Whether a is coarser than b. */
TL_INLINE int32_t tl_is_coarser(const int32_t *a, const int32_t *b)
{
    return a[1] > b[1] || (a[1] == b[1] && a[0] > b[0]);
}

#ifdef __cplusplus
}
#endif
#endif
