/* SPDX-License-Identifier: MIT
 * FULLY_CONNECTED in float32: the rows of a batch go in fours or pairs, so that they share the weights. */
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

    tl_block_f32 block = {NULL, 1, inputs, units, 0, units};

    for (int32_t left = batches; left > 0; left -= block.inputs) {
        block.input = input;
        block.inputs = left >= 4 ? 4 : left >= 2 ? 2 : 1;
        tl_dot_block_f32(activation, &walk, &block, filter, bias, output);
        input += block.inputs * inputs;
        output += block.inputs * units;
    }
    return TL_OK;
}
