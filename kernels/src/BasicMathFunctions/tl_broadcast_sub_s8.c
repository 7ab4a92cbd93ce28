/* SPDX-License-Identifier: MIT
 * int8 SUB: the rescaled inputs are those of ADD, then subtracted. */
#include "tl_add_support.h"

/* Refer header file for details. */
tl_status tl_broadcast_sub_s8(
    const tl_sub_params *params, const tl_broadcast *shape, const int8_t *narrow, const int8_t *wide, int8_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    const tl_add_params *const add = &params->add;
    const int32_t sign = params->narrow_is_subtracted ? -1 : 1;
    tl_broadcast_row row = {{0}, 0, 0};
    do {
        const int8_t *a = narrow + row.offset_1;
        const int8_t *b = wide + row.offset_2;
        for (int32_t i = 0; i < shape->extent[last]; ++i) {
            *output++ = tl_add_finish(add, (tl_add_scale_narrow(add, *a) - tl_add_scale_wide(add, *b)) * sign);
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
