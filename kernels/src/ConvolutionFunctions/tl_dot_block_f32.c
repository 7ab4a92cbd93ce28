/* SPDX-License-Identifier: MIT
 * The inner part of CONV_2D and FULLY_CONNECTED in float32: four output channels at once share the inputs, up to four inputs the weights. */
#include "tl_float_support.h"

#define CHANNELS 4

static void dot(const tl_walk *walk, const tl_block_f32 *block, const float *filter, float *sum)
{
    switch (block->inputs) {
        case 4:
            tl_dot_4x4_f32(walk, block->input, block->input_step, filter, sum);
            break;
        case 2:
            tl_dot_2x4_f32(walk, block->input, block->input_step, filter, sum);
            break;
        default:
            tl_dot_1x4_f32(walk, block->input, filter, sum);
            break;
    }
}

/* Refer header file for details. */
void tl_dot_block_f32(const tl_activation_f32 *activation,
                      const tl_walk *walk,
                      const tl_block_f32 *block,
                      const float *filter,
                      const float *bias,
                      float *output)
{
    int32_t c = block->first;
    for (; c + CHANNELS <= block->last; c += CHANNELS) {
        float sum[TL_BLOCK_INPUTS_F32 * CHANNELS];
        dot(walk, block, filter + c * walk->filter_size, sum);
        for (int32_t i = 0; i < block->inputs; ++i) {
            float *const out = output + i * block->output_step + c;
            tl_finish_4_f32(&sum[i * CHANNELS], bias != NULL ? bias + c : NULL, activation, out);
        }
    }
    for (; c < block->last; ++c) {
        const float *const weights = filter + c * walk->filter_size;
        const float offset = bias != NULL ? bias[c] : 0.0f;
        for (int32_t i = 0; i < block->inputs; ++i) {
            const float sum = tl_dot_1x1_f32(walk, block->input + i * block->input_step, weights);
            output[i * block->output_step + c] = tl_clamp_f32(sum + offset, activation);
        }
    }
}
