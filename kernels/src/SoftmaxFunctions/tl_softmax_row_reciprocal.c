/* SPDX-License-Identifier: MIT
 * Sum of exponentials and its reciprocal: the sum is normalised to 1 + a with a in [0, 1), then three Newton steps find 1/d for
 * d = (1 + a) / 2 in Q2, from the linear estimate 48/17 - 32/17 d. */
#include "tl_softmax_support.h"
#include "tl_support.h"

/* Integer bits of the sum: TFLite's kAccumulationIntegerBits. */
#define SUM_INTEGER_BITS 12

static int32_t leading_zeros(uint32_t value)
{
#if defined(__GNUC__)
    return __builtin_clz(value);
#else
    int32_t count = 0;
    for (; (value & 0x80000000U) == 0; value <<= 1) {
        ++count;
    }
    return count;
#endif
}

/* value * 2^exponent, saturated. exponent: 1 or 2. */
static int32_t saturating_shift_left(int32_t value, int32_t exponent)
{
    const int32_t limit = (int32_t)((1U << (31 - exponent)) - 1U);
    if (value > limit) {
        return INT32_MAX;
    }
    return value < -limit ? INT32_MIN : value * (1 << exponent);
}

/* 1 / (1 + a), a in [0, 1) Q0; result in Q0. */
static int32_t one_over_one_plus(int32_t a)
{
    const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + tl_doubling_high_mul(half_denominator, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = (1 << 29) - tl_doubling_high_mul(half_denominator, x);
        x = tl_wrap_add(x, saturating_shift_left(tl_doubling_high_mul(x, error), 2));
    }
    return saturating_shift_left(x, 1);
}

/* Refer header file for details. */
tl_softmax_reciprocal
tl_softmax_row_reciprocal(const tl_softmax_params *params, const int8_t *row, int32_t depth, int32_t max, int32_t output_bits)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < depth; ++i) {
        const int32_t difference = row[i] - max;
        if (difference >= params->diff_min) {
            sum = tl_wrap_add(sum, tl_divide_by_power_of_two(tl_softmax_exp(params, difference), SUM_INTEGER_BITS));
        }
    }
    const int32_t headroom_plus_one = leading_zeros((uint32_t)sum);
    const uint32_t normalised = (uint32_t)sum << headroom_plus_one;
    const tl_softmax_reciprocal reciprocal = {
        one_over_one_plus((int32_t)(normalised - 0x80000000U)),
        SUM_INTEGER_BITS - headroom_plus_one + 31 - output_bits,
    };
    return reciprocal;
}
