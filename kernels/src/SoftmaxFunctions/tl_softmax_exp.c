/* SPDX-License-Identifier: MIT
 * exp() on negative Q5.26 numbers: a Taylor polynomial around -1/8 for the part below 1/4, then one factor per set bit of the rest. */
#include "tl_softmax_support.h"
#include "tl_support.h"

#define QUARTER_Q5 (1 << 24)

/* a in [-1/4, 0), Q0; result in Q0. */
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

/* Refer header file for details. */
int32_t tl_softmax_exp(const tl_softmax_params *params, int32_t difference)
{
    /* exp(-1/4), exp(-1/2), exp(-1), .., exp(-16) in Q0 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t a =
        tl_doubling_high_mul(tl_wrap_shift_left(difference, params->input_left_shift), params->input_multiplier);
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t fraction = (a & (QUARTER_Q5 - 1)) - QUARTER_Q5;
    const uint32_t quarters = (uint32_t)(fraction - a) >> 24;
    int32_t result = exp_of_fraction(fraction * (1 << 5));
    for (int32_t bit = 0; bit < 7; ++bit) {
        if (quarters & (1U << bit)) {
            result = tl_doubling_high_mul(result, factors[bit]);
        }
    }
    return result;
}
