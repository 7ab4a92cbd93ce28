/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation.h"
#include "tl_float_math.h"

void tl_adapt_step_f32(int32_t size,
                       int32_t classes,
                       int32_t offset,
                       float rate,
                       float *weights,
                       const int8_t *phi,
                       int32_t label,
                       float *scratch)
{
    float largest = 0.0f;
    for (int32_t c = 0; c < classes; ++c) {
        const float *row = weights + c * (size + 1);
        float sum = row[size] * (float)TL_ADAPT_BIAS_INPUT;
        for (int32_t i = 0; i < size; ++i) {
            sum += row[i] * (float)(phi[i] + offset);
        }
        scratch[c] = sum;
        largest = c == 0 || sum > largest ? sum : largest;
    }
    float total = 0.0f;
    for (int32_t c = 0; c < classes; ++c) {
        scratch[c] = tl_exp_f32(scratch[c] - largest);
        total += scratch[c];
    }
    for (int32_t c = 0; c < classes; ++c) {
        float *row = weights + c * (size + 1);
        const float step = rate * (scratch[c] / total - (c == label ? 1.0f : 0.0f));
        for (int32_t i = 0; i < size; ++i) {
            row[i] -= step * (float)(phi[i] + offset);
        }
        row[size] -= step * (float)TL_ADAPT_BIAS_INPUT;
    }
}
