/* SPDX-License-Identifier: MIT
 * SOFTMAX of int16 by TFLite's two interpolated tables: e^x of the differences to the maximum, and the reciprocal of their sum. The
 * exponentials wait in the output. */
#include "tl_int16.h"
#include "tl_support.h"

/* Table entry at value, interpolated; 7 bits below the index. The slope is an int16 in TFLite, hence the cast. */
TL_INLINE int32_t look_up(int32_t value, const int16_t *table)
{
    const int32_t index = 256 + (value >> 7);
    const int32_t base = table[index];
    const int32_t slope = (int16_t)(table[index + 1] - base);
    return (int16_t)(base + ((slope * (value & 0x7F) + 64) >> 7));
}

/* Leading zeros of value > 0. */
TL_INLINE int32_t leading_zeros(uint32_t value)
{
    int32_t count = 0;
    for (; value < 0x80000000U; value <<= 1) {
        ++count;
    }
    return count;
}

/* e^(differences) in Q0.15 to output; their sum. */
static int32_t exponentials(const tl_softmax_params_s16 *params, const int16_t *input, int32_t row_size, int16_t *output)
{
    int32_t largest = INT16_MIN;
    int32_t sum = 0;
    for (int32_t i = 0; i < row_size; ++i) {
        largest = tl_max(largest, input[i]);
    }
    for (int32_t i = 0; i < row_size; ++i) {
        const int32_t scaled = tl_requantize(input[i] - largest, params->multiplier, params->shift);
        const int32_t power = look_up(tl_clamp(tl_wrap_add(scaled, 32767), INT16_MIN, INT16_MAX), params->exp_table);
        output[i] = (int16_t)power;
        sum += power;
    }
    return sum;
}

/* Refer header file for details. */
tl_status tl_softmax_s16(const tl_softmax_params_s16 *params, const int16_t *input, int32_t rows, int32_t row_size, int16_t *output)
{
    for (int32_t row = 0; row < rows; ++row, input += row_size, output += row_size) {
        const int32_t sum = exponentials(params, input, row_size, output);
        const int32_t zeros = leading_zeros((uint32_t)sum);
        /* The sum as 1.x in Q16, then x centred on the table's range. */
        const int32_t mantissa = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14);
        const int32_t x = tl_clamp(mantissa - ((1 << 15) + (1 << 16)), INT16_MIN, INT16_MAX);
        const int32_t reciprocal = look_up(x, params->reciprocal_table);
        const int32_t shift = 31 - zeros;
        const int64_t half = (int64_t)1 << (shift - 1);
        for (int32_t i = 0; i < row_size; ++i) {
            const int32_t value = (int32_t)(((int64_t)output[i] * reciprocal + half) >> shift);
            output[i] = (int16_t)tl_clamp(value, 0, INT16_MAX);
        }
    }
    return TL_OK;
}
