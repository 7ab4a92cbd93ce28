/* SPDX-License-Identifier: MIT
 * MEAN of int16. */
#include "tl_int16.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_mean_s16(const tl_mean_params_s16 *params, const int16_t *input, int16_t *output)
{
    const int32_t step_1 = params->inner;
    const int32_t step_middle = params->reduced_1 * step_1;
    const int32_t step_0 = params->middle * step_middle;
    const int32_t step_outer = params->reduced_0 * step_0;

    for (int32_t outer = 0; outer < params->outer; ++outer) {
        for (int32_t middle = 0; middle < params->middle; ++middle) {
            for (int32_t inner = 0; inner < params->inner; ++inner) {
                const int16_t *const first = input + outer * step_outer + middle * step_middle + inner;
                int32_t sum = 0;
                for (int32_t i = 0; i < params->reduced_0; ++i) {
                    const int16_t *in = first + i * step_0;
                    for (int32_t j = 0; j < params->reduced_1; ++j, in += step_1) {
                        sum = tl_wrap_add(sum, *in);
                    }
                }
                sum = tl_requantize(sum, params->output_multiplier, params->output_shift);
                *output++ = (int16_t)tl_clamp(sum, INT16_MIN, INT16_MAX);
            }
        }
    }
    return TL_OK;
}
