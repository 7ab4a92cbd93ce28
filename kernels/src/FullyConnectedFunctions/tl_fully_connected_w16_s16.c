/* SPDX-License-Identifier: MIT
 * FULLY_CONNECTED of the 16x16 scheme, row by row. */
#include "tl_int16_w16_support.h"

/* Refer header file for details. */
tl_status tl_fully_connected_w16_s16(const tl_requant_s16 *requant,
                                 int32_t batches,
                                 int32_t inputs,
                                 const int16_t *input,
                                 const int16_t *filter,
                                 int32_t units,
                                 int16_t *output)
{
    /* A unit's weights are one run. */
    const tl_walk walk = {1, 1, inputs, 0, 0, 0, inputs, 0};

    for (int32_t b = 0; b < batches; ++b, input += inputs, output += units) {
        tl_dot_block_w16_s16(requant, &walk, input, filter, 0, units, output);
    }
    return TL_OK;
}
