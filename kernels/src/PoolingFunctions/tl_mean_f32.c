/* SPDX-License-Identifier: MIT
 * MEAN in float32: sums run over the reduced axes in row-major order, as TFLite's do. */
#include "tl_float.h"

/* Refer header file for details. */
tl_status tl_mean_f32(const tl_mean_params_f32 *params, const float *input, float *output)
{
    const int32_t step_1 = params->inner;
    const int32_t step_middle = params->reduced_1 * step_1;
    const int32_t step_0 = params->middle * step_middle;
    const int32_t step_outer = params->reduced_0 * step_0;
    const float count = (float)(params->reduced_0 * params->reduced_1);

    for (int32_t outer = 0; outer < params->outer; ++outer) {
        for (int32_t middle = 0; middle < params->middle; ++middle) {
            for (int32_t inner = 0; inner < params->inner; ++inner) {
                const float *const first = input + outer * step_outer + middle * step_middle + inner;
                float sum = 0.0f;
                for (int32_t i = 0; i < params->reduced_0; ++i) {
                    const float *in = first + i * step_0;
                    for (int32_t j = 0; j < params->reduced_1; ++j, in += step_1) {
                        sum += *in;
                    }
                }
                *output++ = sum / count;
            }
        }
    }
    return TL_OK;
}
