/* SPDX-License-Identifier: MIT
 * Refer to tl_motion.h. */
#include "tl_motion.h"
#include "tl_support.h"

void tl_standardise_s16_s8(const tl_standardise_params *params,
                           int32_t channels,
                           int32_t zero_point,
                           const int16_t *input,
                           int32_t stride,
                           int32_t frames,
                           int8_t *output)
{
    for (int32_t i = 0; i < frames; ++i, input += stride) {
        for (int32_t c = 0; c < channels; ++c) {
            const tl_standardise_params *channel = params + c;
            /* Eight bits more, so that the first rounding does not show after the second. */
            const int32_t value = (input[c] + channel->offset) * 256;
            const int32_t scaled = tl_requantize(value, channel->multiplier, channel->shift);
            *output++ = (int8_t)tl_clamp(tl_wrap_add(scaled, zero_point), INT8_MIN, INT8_MAX);
        }
    }
}
