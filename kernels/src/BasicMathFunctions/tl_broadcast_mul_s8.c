/* SPDX-License-Identifier: MIT
 * int8 MUL. */
#include "tl_basic_math.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_broadcast_mul_s8(const tl_mul_params *params,
                              const tl_broadcast *shape,
                              const int8_t *input_1,
                              const int8_t *input_2,
                              int8_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    tl_broadcast_row row = {{0}, 0, 0};
    do {
        const int8_t *a = input_1 + row.offset_1;
        const int8_t *b = input_2 + row.offset_2;
        for (int32_t i = 0; i < shape->extent[last]; ++i) {
            const int32_t product = (*a + params->input_1_offset) * (*b + params->input_2_offset);
            const int32_t scaled = tl_requantize(product, params->output_multiplier, params->output_shift);
            *output++ = (int8_t)tl_clamp(tl_wrap_add(scaled, params->output_offset),
                                         params->activation.min,
                                         params->activation.max);
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
