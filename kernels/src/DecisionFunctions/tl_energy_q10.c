/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_audio.h"
#include "tl_support.h"

int32_t tl_energy_q10(const tl_exponent_scale *scale, int32_t largest, int32_t sum)
{
    const int32_t excess = tl_log2_q10((uint64_t)sum) - 15 * 1024;
    return tl_wrap_add(tl_requantize(largest, scale->multiplier, scale->shift), excess);
}
