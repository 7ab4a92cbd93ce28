/* SPDX-License-Identifier: MIT
 * MINIMUM of int16 with NumPy broadcasting, row by row of the innermost dimension. */
#include "tl_int16.h"

/* Refer header file for details. */
tl_status tl_broadcast_minimum_s16(const tl_broadcast *shape, const int16_t *input_1, const int16_t *input_2, int16_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    tl_broadcast_row row = {{0}, 0, 0};

    do {
        const int16_t *a = input_1 + row.offset_1;
        const int16_t *b = input_2 + row.offset_2;
        for (int32_t i = shape->extent[last]; i > 0; --i) {
            *output++ = *a < *b ? *a : *b;
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
