/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

static void write_scale(const tl_dynamic_range *range, int32_t *scale)
{
    if (range->is_asymmetric) {
        const uint64_t product = (uint64_t)(uint32_t)range->unit_multiplier * (uint32_t)range->range / 255;
        const int32_t bits = tl_bit_length(product);
        scale[0] = (int32_t)(product >> (bits - 31));
        scale[1] = range->unit_shift + bits - 31;
    } else {
        scale[0] = range->unit_multiplier;
        scale[1] = range->unit_shift + tl_bit_length((uint32_t)range->range) - 1;
    }
    scale[2] = range->zero_point;
}

void tl_dynamic_end(const tl_dynamic_range *range,
                    const tl_dynamic_params *dynamic,
                    int8_t *output,
                    int32_t count,
                    int32_t *output_scale,
                    int32_t *state)
{
    if (dynamic->is_relu6) {
        const tl_activation activation = {-128, tl_dynamic_q(range->upper, range->multiplier, range->zero_point)};
        if (activation.max < 127) {
            tl_clamp_s8(output, count, &activation);
        }
    }
    write_scale(range, output_scale);
    if (state != NULL) {
        state[0] = range->low;
        state[1] = tl_min(range->high, range->upper);
        state[2] = range->unit_multiplier;
        state[3] = range->unit_shift;
    }
}
