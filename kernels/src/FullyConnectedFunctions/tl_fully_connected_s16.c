/* SPDX-License-Identifier: MIT
 * FULLY_CONNECTED of the 16x8 scheme: four units share the inputs. */
#include "tl_int16_support.h"

/* Refer header file for details. */
tl_status tl_fully_connected_s16(const tl_requant_s16 *requant,
                                 int32_t batches,
                                 int32_t inputs,
                                 const int16_t *input,
                                 const int8_t *filter,
                                 int32_t units,
                                 int16_t *output)
{
    for (int32_t b = 0; b < batches; ++b, input += inputs, output += units) {
        int32_t u = 0;
        for (; u + TL_CHANNELS_S16 <= units; u += TL_CHANNELS_S16) {
            int64_t sum[TL_CHANNELS_S16] = {0};
            tl_dot_4_s16(input, filter + u * inputs, inputs, inputs, sum);
            for (int32_t k = 0; k < TL_CHANNELS_S16; ++k) {
                output[u + k] = tl_finish_s16(requant, sum[k], u + k);
            }
        }
        for (; u < units; ++u) {
            output[u] = tl_finish_s16(requant, tl_dot_1_s16(input, filter + u * inputs, inputs), u);
        }
    }
    return TL_OK;
}
