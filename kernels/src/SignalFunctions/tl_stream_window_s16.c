/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include <string.h>

#include "tl_stream.h"

void tl_stream_window_s16(const tl_stream_params *params,
                          const tl_stream_state *state,
                          const int16_t *ring,
                          int16_t *window)
{
    const int32_t newer = state->position * params->channels;
    const int32_t older = (params->frames - state->position) * params->channels;
    memcpy(window, ring + newer, sizeof(int16_t) * (size_t)older);
    memcpy(window + older, ring, sizeof(int16_t) * (size_t)newer);
}
