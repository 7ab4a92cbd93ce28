/* SPDX-License-Identifier: MIT
 * SOFTMAX in float32; the exponentials wait in the output for their sum. */
#include <float.h>

#include "tl_float.h"
#include "tl_float_math.h"

/* Refer header file for details. */
tl_status tl_softmax_f32(const float *input, int32_t rows, int32_t row_size, float beta, float *output)
{
    for (int32_t row = 0; row < rows; ++row, input += row_size, output += row_size) {
        float largest = -FLT_MAX;
        float sum = 0.0f;
        for (int32_t i = 0; i < row_size; ++i) {
            largest = largest < input[i] ? input[i] : largest;
        }
        for (int32_t i = 0; i < row_size; ++i) {
            const float power = tl_exp_f32((input[i] - largest) * beta);
            output[i] = power;
            sum += power;
        }
        for (int32_t i = 0; i < row_size; ++i) {
            output[i] = output[i] / sum;
        }
    }
    return TL_OK;
}
