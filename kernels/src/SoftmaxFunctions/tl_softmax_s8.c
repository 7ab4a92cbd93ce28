/* SPDX-License-Identifier: MIT
 * SOFTMAX of int8 with int8 results: each exponential is computed once for the sum and once for the quotient, so no scratch is needed. */
#include "tl_softmax_support.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_softmax_s8(const tl_softmax_params *params, const int8_t *input, int8_t *output, int32_t rows, int32_t depth)
{
    for (int32_t row = 0; row < rows; ++row) {
        const int32_t max = tl_softmax_max_s8(input, depth);
        const tl_softmax_reciprocal sum = tl_softmax_row_reciprocal(params, input, depth, max, 8);
        if (sum.exponent < 0 || sum.exponent > 31) {
            return TL_ARGUMENT_ERROR;
        }
        for (int32_t i = 0; i < depth; ++i) {
            const int32_t difference = input[i] - max;
            int32_t result = INT8_MIN;
            if (difference >= params->diff_min) {
                const int32_t quotient = tl_doubling_high_mul(sum.scale, tl_softmax_exp(params, difference));
                result = tl_min(tl_divide_by_power_of_two(quotient, sum.exponent) + INT8_MIN, INT8_MAX);
            }
            output[i] = (int8_t)result;
        }
        input += depth;
        output += depth;
    }
    return TL_OK;
}
