/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16.h. */
#include "tl_dynamic_s16_support.h"

/* Sums count in 2^-14 of the coarser scale: two values stay below 2^30. */
#define TERM_BITS 14
#define SHIFT (TL_FACTOR_BITS_S16 - TERM_BITS)

tl_status tl_elementwise_add_dynamic_s16(const tl_context *ctx,
                                         const tl_dynamic_params_s16 *dynamic,
                                         const int16_t *input_1,
                                         const int16_t *input_2,
                                         int16_t *output,
                                         int32_t size,
                                         const int32_t *scale_1,
                                         const int32_t *scale_2,
                                         int32_t *output_scale)
{
    const int32_t *wide = tl_is_coarser(scale_2, scale_1) ? scale_2 : scale_1;
    const int32_t factor_1 = tl_factor_s16(scale_1, wide), factor_2 = tl_factor_s16(scale_2, wide);
    int32_t *sums = (int32_t *)ctx->buf;
    for (int32_t i = 0; i < size; i++) {
        const int64_t sum = (int64_t)input_1[i] * factor_1 + (int64_t)input_2[i] * factor_2;
        sums[i] = (int32_t)((sum + (1 << (SHIFT - 1))) >> SHIFT);
    }
    const tl_units_s16 units = {wide[0], wide[1] - TERM_BITS, sums, size};
    tl_dynamic_end_s16(dynamic, units, output, output_scale);
    return TL_OK;
}
