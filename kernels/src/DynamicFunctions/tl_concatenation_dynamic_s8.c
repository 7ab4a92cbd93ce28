/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* Values count in 2^-20 of the coarsest scale. */
#define TERM_BITS 20

static int32_t factor_of(const int32_t *scale, const int32_t *wide)
{
    return tl_rescale_units(1 << TERM_BITS, scale[0], scale[1], wide[0], wide[1]);
}

static const int32_t *widest(const void *const *scales, int32_t count)
{
    const int32_t *wide = (const int32_t *)scales[0];
    for (int32_t i = 1; i < count; i++) {
        const int32_t *scale = (const int32_t *)scales[i];
        if (scale[1] > wide[1] || (scale[1] == wide[1] && scale[0] > wide[0])) {
            wide = scale;
        }
    }
    return wide;
}

tl_status tl_concatenation_dynamic_s8(const tl_dynamic_params *dynamic,
                                      const void *const *inputs,
                                      const void *const *scales,
                                      const int32_t *block_bytes,
                                      int32_t count,
                                      int32_t outer,
                                      int8_t *output,
                                      int32_t *output_scale)
{
    const int32_t *wide = widest(scales, count);
    tl_dynamic_params own = *dynamic;
    tl_dynamic_range range;
    int32_t row = 0, offset = 0;
    own.weight_multiplier = 1 << 30;
    own.weight_shift = 7 - TERM_BITS;
    tl_dynamic_begin(&range, &own, wide, NULL);
    for (int32_t i = 0; i < count; i++) {
        const int32_t *scale = (const int32_t *)scales[i];
        const int32_t factor = factor_of(scale, wide);
        range.low = tl_min(range.low, (-128 - scale[2]) * factor);
        range.high = tl_max(range.high, (127 - scale[2]) * factor);
        row += block_bytes[i];
    }
    if (dynamic->is_asymmetric) {
        tl_dynamic_choose(&range, range.low, range.high);
    } else {
        tl_dynamic_choose(&range, 0, 127 << TERM_BITS);
    }
    for (int32_t i = 0; i < count; i++) {
        const int32_t *scale = (const int32_t *)scales[i];
        const int32_t factor = factor_of(scale, wide);
        const int8_t *from = (const int8_t *)inputs[i];
        int8_t *to = output + offset;
        for (int32_t block = 0; block < outer; block++) {
            for (int32_t k = 0; k < block_bytes[i]; k++) {
                to[k] = tl_dynamic_q((*from++ - scale[2]) * factor, range.multiplier, range.zero_point);
            }
            to += row;
        }
        offset += block_bytes[i];
    }
    tl_dynamic_end(&range, dynamic, output, outer * row, output_scale, NULL);
    return TL_OK;
}
