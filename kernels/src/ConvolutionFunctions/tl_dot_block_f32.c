/* SPDX-License-Identifier: MIT
 * The inner part of CONV_2D and FULLY_CONNECTED in float32: four output channels at once share the inputs, two inputs the weights. */
#include "tl_float_support.h"

#define CHANNELS 4

/* Refer header file for details. */
void tl_dot_block_f32(const tl_activation_f32 *activation,
                      const tl_walk *walk,
                      const float *input_0,
                      const float *input_1,
                      const float *filter,
                      const float *bias,
                      int32_t first,
                      int32_t last,
                      int32_t channels,
                      float *output)
{
    int32_t c = first;
    for (; c + CHANNELS <= last; c += CHANNELS) {
        const float *const weights = filter + c * walk->filter_size;
        float sum[2 * CHANNELS];
        if (input_1 != NULL) {
            tl_dot_2x4_f32(walk, input_0, input_1, weights, sum);
            for (int32_t k = 0; k < CHANNELS; ++k) {
                output[channels + c + k] = tl_finish_f32(sum[CHANNELS + k], bias, c + k, activation);
            }
        } else {
            tl_dot_1x4_f32(walk, input_0, weights, sum);
        }
        for (int32_t k = 0; k < CHANNELS; ++k) {
            output[c + k] = tl_finish_f32(sum[k], bias, c + k, activation);
        }
    }
    for (; c < last; ++c) {
        const float *const weights = filter + c * walk->filter_size;
        output[c] = tl_finish_f32(tl_dot_1x1_f32(walk, input_0, weights), bias, c, activation);
        if (input_1 != NULL) {
            output[channels + c] = tl_finish_f32(tl_dot_1x1_f32(walk, input_1, weights), bias, c, activation);
        }
    }
}
