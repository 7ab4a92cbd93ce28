/* SPDX-License-Identifier: MIT
 * FULLY_CONNECTED in float32: the rows of a batch go in pairs, so that they share the weights. */
#include "tl_float_support.h"

/* Refer header file for details. */
tl_status tl_fully_connected_f32(const tl_activation_f32 *activation,
                                 int32_t batches,
                                 int32_t inputs,
                                 const float *input,
                                 const float *filter,
                                 const float *bias,
                                 int32_t units,
                                 float *output)
{
    /* A unit's weights are one run. */
    const tl_walk walk = {1, 1, inputs, 0, 0, 0, inputs, 0};

    for (int32_t b = 0; b < batches; b += 2) {
        const float *const row = input + b * inputs;
        const float *const next = b + 1 < batches ? row + inputs : NULL;
        tl_dot_block_f32(activation, &walk, row, next, filter, bias, 0, units, units, output + b * units);
    }
    return TL_OK;
}
