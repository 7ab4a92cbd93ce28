/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16.h. */
#include "tl_dynamic_s16_support.h"

/* 65535 / 10 = 13107 / 2. */
#define TWICE_STEPS 13107
/* A larger multiplier takes differences, of at most 65535, out of 32 bits. */
#define SHIFT_MAX 15

tl_status tl_softmax_dynamic_s16(const int32_t *input_scale,
                                 const int16_t *exp_table,
                                 const int16_t *reciprocal_table,
                                 const int16_t *input,
                                 int32_t rows,
                                 int32_t row_size,
                                 int16_t *output)
{
    const uint64_t product = (uint64_t)(uint32_t)input_scale[0] * TWICE_STEPS;
    const int32_t bits = tl_bit_length(product);
    tl_softmax_params_s16 params = {(int32_t)(product >> (bits - 31)),
                                    bits + input_scale[1] - 32,
                                    exp_table,
                                    reciprocal_table};
    if (params.shift < -31) {
        return TL_ARGUMENT_ERROR;
    }
    if (params.shift > SHIFT_MAX) {
        params.multiplier = INT32_MAX;
        params.shift = SHIFT_MAX;
    }
    return tl_softmax_s16(&params, input, rows, row_size, output);
}
