/* SPDX-License-Identifier: MIT
 * int8 ADD with broadcasting. A repeated narrow operand is rescaled once per row; the wide one costs next to nothing.
 */
#include "tl_add_support.h"

static void add_row(
    const tl_add_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    const int32_t count = shape->extent[last];
    if (shape->stride_1[last] == 0) {
        const int32_t repeated = tl_add_scale_narrow(params, *narrow);
        for (int32_t i = 0; i < count; ++i, wide += shape->stride_2[last]) {
            output[i] = tl_add_finish(params, repeated + tl_add_scale_wide(params, *wide));
        }
    } else {
        for (int32_t i = 0; i < count; ++i, wide += shape->stride_2[last]) {
            output[i] =
                tl_add_finish(params, tl_add_scale_narrow(params, narrow[i]) + tl_add_scale_wide(params, *wide));
        }
    }
}

/* Refer header file for details. */
tl_status tl_broadcast_add_s8(
    const tl_add_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output)
{
    tl_broadcast_row row = {{0}, 0, 0};
    do {
        add_row(params, shape, narrow + row.offset_1, wide + row.offset_2, output);
        output += shape->extent[TL_MAX_BROADCAST_DIMS - 1];
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
