/* SPDX-License-Identifier: MIT
 * FULLY_CONNECTED in float32: four units at once share the inputs, and two rows of a batch the weights. */
#include "tl_float_support.h"

#define UNITS 4

/* One row of the batch, or two; input_1 is NULL for one. */
static void rows_of(const tl_activation_f32 *activation,
                    int32_t inputs,
                    const float *input_0,
                    const float *input_1,
                    const float *filter,
                    const float *bias,
                    int32_t units,
                    float *output)
{
    int32_t u = 0;
    for (; u + UNITS <= units; u += UNITS) {
        float sum[2 * UNITS] = {0.0f};
        if (input_1 != NULL) {
            tl_dot_2x4_f32(input_0, input_1, filter + u * inputs, inputs, inputs, sum);
        } else {
            tl_dot_1x4_f32(input_0, filter + u * inputs, inputs, inputs, sum);
        }
        for (int32_t k = 0; k < UNITS; ++k) {
            const float offset = bias != NULL ? bias[u + k] : 0.0f;
            output[u + k] = tl_clamp_f32(sum[k] + offset, activation);
            if (input_1 != NULL) {
                output[units + u + k] = tl_clamp_f32(sum[UNITS + k] + offset, activation);
            }
        }
    }
    for (; u < units; ++u) {
        const float offset = bias != NULL ? bias[u] : 0.0f;
        output[u] = tl_clamp_f32(tl_dot_1x1_f32(input_0, filter + u * inputs, inputs, 0.0f) + offset, activation);
        if (input_1 != NULL) {
            output[units + u] = tl_clamp_f32(tl_dot_1x1_f32(input_1, filter + u * inputs, inputs, 0.0f) + offset, activation);
        }
    }
}

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
    for (int32_t b = 0; b < batches; b += 2) {
        const float *const row = input + b * inputs;
        rows_of(activation, inputs, row, b + 1 < batches ? row + inputs : NULL, filter, bias, units, output + b * units);
    }
    return TL_OK;
}
