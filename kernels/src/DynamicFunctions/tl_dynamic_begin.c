/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* Aligned sums count in 1 / 2^6 of input scale * weight scale. */
#define FRACTION_BITS 6
/* Smallest range: the asymmetric multiplier 255 * 2^32 / range and the Q multiplier 2^(32 - shift) stay within int32.
 */
#define LEAST_RANGE 512
#define LEAST_SHIFT 2
#define LEAST_MAX (1 << 29)
#define SHIFT_MAX 30

static int32_t upper_bound(const tl_dynamic_range *range)
{
    const int32_t right = 30 + range->unit_shift;
    const uint64_t six = 6 * (uint64_t)tl_reciprocal(range->unit_multiplier);
    if (right <= 1) {
        return TL_RANGE_MAX;
    }
    const uint64_t units = right > 62 ? 0 : six >> right;
    return units > TL_RANGE_MAX ? TL_RANGE_MAX : (int32_t)units;
}

static int32_t least_range(const tl_dynamic_range *range, const tl_dynamic_params *dynamic)
{
    const int32_t multiplier = dynamic->least_multiplier;
    if (!range->is_asymmetric) {
        const int32_t shift = multiplier == 0 ? 0 : dynamic->least_shift - range->unit_shift;
        return tl_min(tl_max(LEAST_SHIFT, shift), SHIFT_MAX);
    }
    if (multiplier == 0) {
        return LEAST_RANGE;
    }
    const uint64_t ratio = 255 * (((uint64_t)(uint32_t)multiplier << 30) / (uint32_t)range->unit_multiplier);
    const int32_t right = 30 - (dynamic->least_shift - range->unit_shift);
    if (right <= 0) {
        return LEAST_MAX;
    }
    const uint64_t least = (right > 62 ? 0 : ratio >> right) + 1;
    return least > LEAST_MAX ? LEAST_MAX : tl_max(LEAST_RANGE, (int32_t)least);
}

void tl_dynamic_begin(tl_dynamic_range *range,
                      const tl_dynamic_params *dynamic,
                      const int32_t *input_scale,
                      const int32_t *state)
{
    const uint64_t product = (uint64_t)(uint32_t)input_scale[0] * (uint32_t)dynamic->weight_multiplier;
    const int32_t bits = tl_bit_length(product);
    range->unit_multiplier = (int32_t)(product >> (bits - 31));
    range->unit_shift = bits - 62 + input_scale[1] + dynamic->weight_shift - FRACTION_BITS;
    range->is_asymmetric = dynamic->is_asymmetric;
    range->upper = dynamic->is_relu6 ? upper_bound(range) : TL_RANGE_MAX;
    range->least = least_range(range, dynamic);
    range->low = 0;
    range->high = 0;
    range->multiplier = 0;
    range->zero_point = 0;
    if (dynamic->form == TL_DYNAMIC_FULL) {
        return;
    }
    int32_t low = 0, high = 0;
    if (state != NULL && state[2] != 0) {
        low = tl_rescale_units(state[0], state[2], state[3], range->unit_multiplier, range->unit_shift);
        high = tl_rescale_units(state[1], state[2], state[3], range->unit_multiplier, range->unit_shift);
    }
    tl_dynamic_choose(range, low, tl_min(high, range->upper));
}
