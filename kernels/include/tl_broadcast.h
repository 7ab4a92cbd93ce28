/* SPDX-License-Identifier: MIT
 * NumPy broadcasting of binary kernels. The generator merges dimensions that both inputs walk the same way, so most
 * broadcasts need one or two; each row of the innermost dimension then has steps 0 or 1 only. */
#ifndef TL_BROADCAST_H
#define TL_BROADCAST_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Dimensions left after merging; TFLite Micro broadcasts tensors of up to six. */
#define TL_MAX_BROADCAST_DIMS 6

/** Dimension 0 is the outermost. Unused leading dimensions have extent 1 and strides 0. */
typedef struct {
    int32_t extent[TL_MAX_BROADCAST_DIMS];   /* of the output, >= 1 */
    int32_t stride_1[TL_MAX_BROADCAST_DIMS]; /* elements to the next index in input 1; 0 repeats. Innermost: 0 or 1 */
    int32_t stride_2[TL_MAX_BROADCAST_DIMS]; /* the same of input 2 */
} tl_broadcast;

/** Where the walk over the rows of the output stands; offsets in elements. Start with all zero. */
typedef struct {
    int32_t index[TL_MAX_BROADCAST_DIMS];
    int32_t offset_1;
    int32_t offset_2;
} tl_broadcast_row;

/**
 * Moves to the next row in output order.
 * @return 1, or 0 after the last row
 */
int32_t tl_broadcast_next_row(const tl_broadcast *shape, tl_broadcast_row *row);

#ifdef __cplusplus
}
#endif
#endif
