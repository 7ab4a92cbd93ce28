/* SPDX-License-Identifier: MIT
 * The inner part of CONV_2D and FULLY_CONNECTED of the 16x16 scheme: two output channels share the inputs of a run. */
#include "tl_int16_w16_support.h"

/* Refer header file for details. */
void tl_dot_block_w16_s16(const tl_requant_s16 *requant,
                          const tl_walk *walk,
                          const int16_t *input,
                          const int16_t *filter,
                          int32_t first,
                          int32_t last,
                          int16_t *output)
{
    for (int32_t c = first; c < last; c += 2) {
        int64_t sum[2] = {0, 0};
        for (int32_t row = 0; row < walk->rows; ++row) {
            for (int32_t run = 0; run < walk->runs; ++run) {
                const int16_t *const x = input + row * walk->input_row + run * walk->input_run;
                const int16_t *const weights =
                    filter + c * walk->filter_size + row * walk->filter_row + run * walk->run_length;
                if (c + 1 < last) {
                    tl_dot_2_w16_s16(x, weights, walk->filter_size, walk->run_length, sum);
                } else {
                    sum[0] = tl_dot_1_w16_s16(x, weights, walk->run_length, sum[0]);
                }
            }
        }
        output[c] = tl_finish_s16(requant, sum[0], c);
        if (c + 1 < last) {
            output[c + 1] = tl_finish_s16(requant, sum[1], c + 1);
        }
    }
}
