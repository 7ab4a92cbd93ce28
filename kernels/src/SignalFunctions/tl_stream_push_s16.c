/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include <string.h>

#include "tl_stream.h"

int32_t tl_stream_push_s16(const tl_stream_params *params, tl_stream_state *state, int16_t *ring, const int16_t *frame)
{
    memcpy(ring + state->position * params->channels, frame, sizeof(int16_t) * (size_t)params->channels);
    ++state->position;
    if (state->position == params->frames) {
        state->position = 0;
    }
    --state->until_due;
    if (state->until_due > 0) {
        return 0;
    }
    state->until_due = params->hop;
    return 1;
}
