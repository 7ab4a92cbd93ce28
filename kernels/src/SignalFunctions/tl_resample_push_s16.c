/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include <string.h>

#include "tl_stream.h"
#include "tl_support.h"

TL_INLINE int16_t filtered(const int16_t *filter, int32_t taps, const int16_t *history, int32_t channels)
{
    int32_t sum = 1 << 14;
    for (int32_t t = 0; t < taps; ++t) {
        sum += filter[t] * history[t * channels];
    }
    return (int16_t)tl_clamp(sum >> 15, INT16_MIN, INT16_MAX);
}

int32_t tl_resample_push_s16(
    const tl_resample_params *params, int32_t *phase, int16_t *history, const int16_t *frame, int16_t *output)
{
    const int32_t channels = params->channels;
    int32_t written = 0;
    memmove(history + channels, history, sizeof(int16_t) * (size_t)((params->taps - 1) * channels));
    memcpy(history, frame, sizeof(int16_t) * (size_t)channels);
    for (; *phase < params->up; *phase += params->down) {
        for (int32_t c = 0; c < channels; ++c) {
            *output++ = filtered(params->filter + *phase * params->taps, params->taps, history + c, channels);
        }
        ++written;
    }
    *phase -= params->up;
    return written;
}
