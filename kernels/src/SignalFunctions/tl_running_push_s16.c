/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include "tl_stream.h"

void tl_running_push_s16(int32_t channels, tl_running_sums *sums, const int16_t *incoming, const int16_t *outgoing)
{
    for (int32_t c = 0; c < channels; ++c) {
        sums[c].sum += incoming[c];
        sums[c].squares += incoming[c] * incoming[c];
        if (outgoing == NULL) {
            ++sums[c].count;
        } else {
            sums[c].sum -= outgoing[c];
            sums[c].squares -= outgoing[c] * outgoing[c];
        }
    }
}
