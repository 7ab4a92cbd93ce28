/* SPDX-License-Identifier: MIT
 * SOFTMAX of int8 in gemmlowp's fixed point, constants and order of operations as there (exp_on_negative_values,
 * one_over_one_plus_x_for_x_in_0_1). Each exponential is computed once for the sum and once for the quotient, so no
 * scratch is needed. Qm: an int32 with m integer bits. */
#include "tl_softmax.h"
#include "tl_support.h"

/* Integer bits of the sum of exponentials: TFLite's kAccumulationIntegerBits. */
#define SUM_INTEGER_BITS 12
/* 1/4 in Q5, the format of the scaled differences. */
#define QUARTER (1 << 24)

/* exp(a) for a in [-1/4, 0), Q0 to Q0: Taylor polynomial around -1/8. */
static int32_t exp_of_fraction(int32_t a)
{
    const int32_t exp_minus_eighth = 1895147668;
    const int32_t one_third = 715827883;
    const int32_t x = a + (1 << 28);
    const int32_t x2 = tl_doubling_high_mul(x, x);
    const int32_t x3 = tl_doubling_high_mul(x2, x);
    const int32_t x4_over_4 = tl_divide_by_power_of_two(tl_doubling_high_mul(x2, x2), 2);
    const int32_t higher = tl_divide_by_power_of_two(tl_doubling_high_mul(x4_over_4 + x3, one_third) + x2, 1);
    return exp_minus_eighth + tl_doubling_high_mul(exp_minus_eighth, x + higher);
}

/* exp() of a difference to the row's maximum, in [diff_min, 0]; Q0. The part below 1/4 by the polynomial, then a factor
 * per set bit. */
static int32_t exp_of_difference(const tl_softmax_params *params, int32_t difference)
{
    /* exp(-1/4), exp(-1/2), exp(-1), .., exp(-16) in Q0 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t a =
        tl_doubling_high_mul(tl_wrap_shift_left(difference, params->input_left_shift), params->input_multiplier);
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t fraction = (a & (QUARTER - 1)) - QUARTER;
    uint32_t quarters = (uint32_t)(fraction - a) >> 24;
    int32_t result = exp_of_fraction(fraction * (1 << 5));
    for (const int32_t *factor = factors; quarters != 0; ++factor, quarters >>= 1) {
        if (quarters & 1U) {
            result = tl_doubling_high_mul(result, *factor);
        }
    }
    return result;
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

/* 1 / (1 + a) for a in [0, 1), Q0 to Q0: three Newton steps find 1/d for d = (1 + a) / 2 in Q2, from 48/17 - 32/17 d.
 */
static int32_t one_over_one_plus(int32_t a)
{
    const int32_t d = (int32_t)(((uint32_t)a + 0x80000000U) / 2U);
    int32_t x = 1515870810 + tl_doubling_high_mul(d, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = (1 << 29) - tl_doubling_high_mul(d, x);
        x = tl_wrap_add(x, saturating_shift_left(tl_doubling_high_mul(x, error), 2));
    }
    return saturating_shift_left(x, 1);
}

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

static int32_t row_max(const int8_t *row, int32_t depth)
{
    int32_t max = INT8_MIN;
    for (int32_t i = 0; i < depth; ++i) {
        max = tl_max(max, row[i]);
    }
    return max;
}

static int32_t sum_of_exponentials(const tl_softmax_params *params, const int8_t *row, int32_t depth, int32_t max)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < depth; ++i) {
        const int32_t difference = row[i] - max;
        if (difference >= params->diff_min) {
            sum += tl_divide_by_power_of_two(exp_of_difference(params, difference), SUM_INTEGER_BITS);
        }
    }
    return sum;
}

/* Refer header file for details. */
tl_status
tl_softmax_s8(const tl_softmax_params *params, const int8_t *input, int8_t *output, int32_t rows, int32_t depth)
{
    if (depth < 1 || depth > TL_SOFTMAX_DEPTH_MAX) {
        return TL_ARGUMENT_ERROR;
    }
    for (int32_t row = 0; row < rows; ++row) {
        const int32_t max = row_max(input, depth);
        const uint32_t sum = (uint32_t)sum_of_exponentials(params, input, depth, max);
        /* The sum is normalised to 1 + a. The largest element alone contributes 1, so it has at most 12 leading zeros.
         */
        const int32_t headroom_plus_one = leading_zeros(sum);
        const int32_t scale = one_over_one_plus((int32_t)((sum << headroom_plus_one) - 0x80000000U));
        const int32_t exponent = SUM_INTEGER_BITS - headroom_plus_one + 31 - 8;

        for (int32_t i = 0; i < depth; ++i) {
            const int32_t difference = input[i] - max;
            int32_t result = INT8_MIN;
            if (difference >= params->diff_min) {
                const int32_t quotient = tl_doubling_high_mul(scale, exp_of_difference(params, difference));
                result = tl_min(tl_divide_by_power_of_two(quotient, exponent) + INT8_MIN, INT8_MAX);
            }
            output[i] = (int8_t)result;
        }
        input += depth;
        output += depth;
    }
    return TL_OK;
}
