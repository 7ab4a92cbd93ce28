/* SPDX-License-Identifier: MIT
 * int8 ADD with broadcasting: rows without repetition go to the element-wise kernel; a repeated operand is rescaled once per row. */
#include "tl_add_support.h"

static void add_row(const tl_add_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    const int32_t count = shape->extent[last];
    const int32_t narrow_step = shape->stride_1[last];
    const int32_t wide_step = shape->stride_2[last];
    if (narrow_step != 0 && wide_step != 0) {
        (void)tl_elementwise_add_s8(params, narrow, wide, output, count);
    } else if (narrow_step == 0) {
        const int32_t repeated = tl_add_scale_narrow(params, *narrow);
        for (int32_t i = 0; i < count; ++i) {
            output[i] = tl_add_finish(params, repeated + tl_add_scale_wide(params, wide[i * wide_step]));
        }
    } else {
        const int32_t repeated = tl_add_scale_wide(params, *wide);
        for (int32_t i = 0; i < count; ++i) {
            output[i] = tl_add_finish(params, tl_add_scale_narrow(params, narrow[i]) + repeated);
        }
    }
}

/* Refer header file for details. */
tl_status tl_broadcast_add_s8(const tl_add_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output)
{
    tl_broadcast_row row = {{0}, 0, 0};
    do {
        add_row(params, shape, narrow + row.offset_1, wide + row.offset_2, output);
        output += shape->extent[TL_MAX_BROADCAST_DIMS - 1];
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
