/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16.h. */
#include "tl_dynamic_s16_support.h"

tl_status tl_concatenation_dynamic_s16(const tl_dynamic_params_s16 *dynamic,
                                       const void *const *inputs,
                                       const void *const *scales,
                                       const int32_t *block_values,
                                       int32_t count,
                                       int32_t outer,
                                       int16_t *output,
                                       int32_t *output_scale)
{
    const int32_t least[TL_SCALE_WORDS] = {dynamic->least_multiplier, dynamic->least_shift, 0};
    const int32_t *wide = dynamic->least_multiplier == 0 ? (const int32_t *)scales[0] : least;
    int32_t row = 0, offset = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t *scale = (const int32_t *)scales[i];
        wide = tl_is_coarser(scale, wide) ? scale : wide;
        row += block_values[i];
    }
    for (int32_t i = 0; i < count; i++) {
        const int32_t factor = tl_factor_s16((const int32_t *)scales[i], wide);
        const int16_t *from = (const int16_t *)inputs[i];
        int16_t *to = output + offset;
        for (int32_t block = 0; block < outer; block++) {
            for (int32_t k = 0; k < block_values[i]; k++) {
                const int64_t product = (int64_t)*from++ * factor;
                to[k] = (int16_t)((product + (1 << (TL_FACTOR_BITS_S16 - 1))) >> TL_FACTOR_BITS_S16);
            }
            to += row;
        }
        offset += block_values[i];
    }
    output_scale[0] = wide[0];
    output_scale[1] = wide[1];
    output_scale[2] = 0;
    return TL_OK;
}
