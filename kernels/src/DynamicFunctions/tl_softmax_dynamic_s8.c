/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"
#include "tl_softmax.h"

/* Differences become Q5.26. */
#define FRACTION_BITS 26
#define LARGEST_DIFFERENCE 31

tl_status
tl_softmax_dynamic_s8(const int32_t *input_scale, const int8_t *input, int8_t *output, int32_t rows, int32_t depth)
{
    const int32_t left_shift = input_scale[1] + FRACTION_BITS;
    if (left_shift < 0) {
        return TL_ARGUMENT_ERROR;
    }
    tl_softmax_params params = {.input_multiplier = input_scale[0], .input_left_shift = left_shift, .diff_min = 0};
    if (left_shift > 31) {
        params.input_multiplier = INT32_MAX;
        params.input_left_shift = 31;
    } else {
        params.diff_min = -(int32_t)(((uint32_t)LARGEST_DIFFERENCE << FRACTION_BITS) >> left_shift);
    }
    return tl_softmax_s8(&params, input, output, rows, depth);
}
