/* SPDX-License-Identifier: MIT
 * An odometer over the rows of a broadcast. */
#include "tl_broadcast.h"

/* Refer header file for details. */
int32_t tl_broadcast_next_row(const tl_broadcast *shape, tl_broadcast_row *row)
{
    for (int32_t d = TL_MAX_BROADCAST_DIMS - 2; d >= 0; --d) {
        row->offset_1 += shape->stride_1[d];
        row->offset_2 += shape->stride_2[d];
        if (++row->index[d] < shape->extent[d]) {
            return 1;
        }
        row->offset_1 -= shape->stride_1[d] * shape->extent[d];
        row->offset_2 -= shape->stride_2[d] * shape->extent[d];
        row->index[d] = 0;
    }
    return 0;
}
