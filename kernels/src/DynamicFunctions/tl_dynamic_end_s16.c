/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16_support.h. */
#include "tl_dynamic_s16_support.h"

/* tl_dynamic.h: the Q multiplier 2^(32 - shift), and 32767 * 2^32 / range, stay within int32. */
#define LEAST_SHIFT 2
#define SHIFT_MAX 30
#define LEAST_RANGE (1 << 16)
#define LEAST_MAX (1 << 29)
#define MAGNITUDE_BITS 15

/* 6 in units, at most TL_RANGE_MAX. */
static int32_t units_of_six(const tl_units_s16 *units)
{
    const int32_t right = 30 + units->shift;
    const uint64_t six = 6 * (uint64_t)tl_reciprocal(units->multiplier);
    if (right <= 1) {
        return TL_RANGE_MAX;
    }
    return (int32_t)(right > 62 ? 0 : six >> right > TL_RANGE_MAX ? TL_RANGE_MAX : six >> right);
}

/* Q: least shift; else least magnitude. */
static int32_t least_range(const tl_dynamic_params_s16 *dynamic, const tl_units_s16 *units)
{
    const int32_t multiplier = dynamic->least_multiplier;
    if (dynamic->is_power_of_two) {
        return tl_clamp(multiplier == 0 ? 0 : dynamic->least_shift - units->shift, LEAST_SHIFT, SHIFT_MAX);
    }
    const int32_t right = 30 - (dynamic->least_shift - units->shift);
    if (multiplier == 0) {
        return LEAST_RANGE;
    }
    if (right <= 0) {
        return LEAST_MAX;
    }
    const uint64_t ratio = 32767 * (((uint64_t)(uint32_t)multiplier << 30) / (uint32_t)units->multiplier);
    const uint64_t least = (right > 62 ? 0 : ratio >> right) + 1;
    return least > LEAST_MAX ? LEAST_MAX : tl_max(LEAST_RANGE, (int32_t)least);
}

/* The scale of the output, and the multiplier that brings units to it. */
static int32_t
choose_scale(const tl_dynamic_params_s16 *dynamic, const tl_units_s16 *units, int32_t magnitude, int32_t *output_scale)
{
    const int32_t least = least_range(dynamic, units);
    output_scale[2] = 0;
    if (dynamic->is_power_of_two) {
        const int32_t needed = tl_bit_length((uint32_t)magnitude) - MAGNITUDE_BITS;
        const int32_t shift = tl_min(tl_max(needed, least), SHIFT_MAX);
        output_scale[0] = units->multiplier;
        output_scale[1] = units->shift + shift;
        return (int32_t)1 << (32 - shift);
    }
    const uint32_t range = (uint32_t)tl_max(magnitude, least);
    const uint64_t product = (uint64_t)(uint32_t)units->multiplier * range / 32767;
    const int32_t bits = tl_bit_length(product);
    output_scale[0] = (int32_t)(product >> (bits - 31));
    output_scale[1] = units->shift + bits - 31;
    return (int32_t)(((uint64_t)32767 << 32) / range);
}

void tl_dynamic_end_s16(const tl_dynamic_params_s16 *dynamic,
                        tl_units_s16 units,
                        int16_t *output,
                        int32_t *output_scale)
{
    const int32_t least = dynamic->is_relu ? 0 : INT32_MIN;
    const int32_t upper = dynamic->is_relu6 ? units_of_six(&units) : TL_RANGE_MAX;
    int32_t magnitude = 0;
    for (int32_t i = 0; i < units.count; i++) {
        const int32_t value = tl_max(units.values[i], least);
        magnitude = tl_max(magnitude, value ^ (value >> 31));
    }
    const int32_t multiplier = choose_scale(dynamic, &units, tl_min(magnitude, upper), output_scale);
    for (int32_t i = 0; i < units.count; i++) {
        const int32_t value = tl_clamp(units.values[i], least, upper);
        output[i] = (int16_t)tl_clamp(tl_smmulr(value, multiplier), INT16_MIN, INT16_MAX);
    }
}
