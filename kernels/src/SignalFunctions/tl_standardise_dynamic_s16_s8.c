/* SPDX-License-Identifier: MIT
 * Refer to tl_motion.h. More counts are more units, so that a channel's least and largest count have its least and
 * largest units; of bits, too, the largest magnitude has the most. */
#include "tl_dynamic_support.h"
#include "tl_motion.h"

static int32_t units(const tl_standardise_params *channel, int32_t value)
{
    return tl_requantize((value + channel->offset) * 256, channel->multiplier, channel->shift);
}

void tl_standardise_dynamic_s16_s8(const tl_standardise_params *params,
                                   int32_t channels,
                                   const tl_dynamic_params *dynamic,
                                   const int32_t *unit,
                                   const int16_t *input,
                                   int32_t frames,
                                   int8_t *output,
                                   int32_t *output_scale)
{
    const tl_scan_kind kind = tl_scan_kind_of(dynamic);
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, unit, NULL);
    for (int32_t c = 0; c < channels; ++c) {
        int32_t least = input[c], largest = input[c];
        for (int32_t i = c; i < frames * channels; i += channels) {
            least = tl_min(least, input[i]);
            largest = tl_max(largest, input[i]);
        }
        (void)tl_scan(kind, units(params + c, least), &range.low, &range.high);
        (void)tl_scan(kind, units(params + c, largest), &range.low, &range.high);
    }
    tl_dynamic_choose(&range, range.low, range.high);
    for (int32_t i = 0; i < frames; ++i) {
        for (int32_t c = 0; c < channels; ++c) {
            *output++ = tl_dynamic_q(units(params + c, input[i * channels + c]), range.multiplier, range.zero_point);
        }
    }
    tl_dynamic_end(&range, dynamic, output, 0, output_scale, NULL);
}
