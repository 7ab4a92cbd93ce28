/* SPDX-License-Identifier: MIT
 * MUL in float32 with NumPy broadcasting, row by row of the innermost dimension. */
#include "tl_float_support.h"

/* Refer header file for details. */
tl_status tl_broadcast_mul_f32(const tl_activation_f32 *activation,
                               const tl_broadcast *shape,
                               const float *input_1,
                               const float *input_2,
                               float *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    tl_broadcast_row row = {{0}, 0, 0};

    do {
        const float *a = input_1 + row.offset_1;
        const float *b = input_2 + row.offset_2;
        for (int32_t i = shape->extent[last]; i > 0; --i) {
            *output++ = tl_clamp_f32(*a * *b, activation);
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
