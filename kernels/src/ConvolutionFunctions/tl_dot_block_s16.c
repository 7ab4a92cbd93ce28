/* SPDX-License-Identifier: MIT
 * The inner part of CONV_2D and FULLY_CONNECTED of the 16x8 scheme: four output channels share the inputs of a run. */
#include "tl_int16_support.h"

static void sum_4(const tl_walk *walk, const int16_t *input, const int8_t *filter, int64_t *sum)
{
    for (int32_t row = 0; row < walk->rows; ++row) {
        for (int32_t run = 0; run < walk->runs; ++run) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            const int8_t *const weights = filter + row * walk->filter_row + run * walk->run_length;
            tl_dot_4_s16(x, weights, walk->filter_size, walk->run_length, sum);
        }
    }
}

static int64_t sum_1(const tl_walk *walk, const int16_t *input, const int8_t *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < walk->rows; ++row) {
        for (int32_t run = 0; run < walk->runs; ++run) {
            const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
            sum += tl_dot_1_s16(x, filter + row * walk->filter_row + run * walk->run_length, walk->run_length);
        }
    }
    return sum;
}

/* Refer header file for details. */
void tl_dot_block_s16(const tl_requant_s16 *requant,
                      const tl_walk *walk,
                      const int16_t *input,
                      const int8_t *filter,
                      int32_t first,
                      int32_t last,
                      int16_t *output)
{
    int32_t c = first;
    for (; c + TL_CHANNELS_S16 <= last; c += TL_CHANNELS_S16) {
        int64_t sum[TL_CHANNELS_S16] = {0};
        sum_4(walk, input, filter + c * walk->filter_size, sum);
        for (int32_t k = 0; k < TL_CHANNELS_S16; ++k) {
            output[c + k] = tl_finish_s16(requant, sum[k], c + k);
        }
    }
    for (; c < last; ++c) {
        output[c] = tl_finish_s16(requant, sum_1(walk, input, filter + c * walk->filter_size), c);
    }
}
