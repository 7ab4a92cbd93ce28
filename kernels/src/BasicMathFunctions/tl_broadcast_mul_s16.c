/* SPDX-License-Identifier: MIT
 * MUL of int16 with NumPy broadcasting, row by row of the innermost dimension. */
#include "tl_int16.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_broadcast_mul_s16(const tl_mul_params_s16 *params,
                               const tl_broadcast *shape,
                               const int16_t *input_1,
                               const int16_t *input_2,
                               int16_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    tl_broadcast_row row = {{0}, 0, 0};

    do {
        const int16_t *a = input_1 + row.offset_1;
        const int16_t *b = input_2 + row.offset_2;
        for (int32_t i = shape->extent[last]; i > 0; --i) {
            const int32_t value = tl_requantize(*a * *b, params->output_multiplier, params->output_shift);
            *output++ = (int16_t)tl_clamp(value, params->activation.min, params->activation.max);
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
