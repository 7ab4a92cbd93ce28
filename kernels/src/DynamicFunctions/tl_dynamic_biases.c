/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* How a stored bias becomes accumulator steps: round(bias * reciprocal / 2^right), right: 1..62. */
typedef struct {
    uint32_t reciprocal; /* at most 2^31 */
    int32_t right;
    int32_t zero_point;
} bias_scale;

/* What the product needs. Rounded at a bit above 32, its lower word does not count. */
typedef enum { ANY_PRODUCT, HIGH_WORD, POWER_OF_TWO } product_kind;

TL_INLINE int32_t scale_bias(product_kind kind, int32_t bias, const bias_scale *by)
{
    if (kind == ANY_PRODUCT) {
        return (int32_t)((bias * (int64_t)by->reciprocal + ((int64_t)1 << (by->right - 1))) >> by->right);
    }
    const int32_t high = kind == POWER_OF_TWO ? bias >> 1 : (int32_t)(((int64_t)bias * (int32_t)by->reciprocal) >> 32);
    return ((high >> (by->right - 33)) + 1) >> 1;
}

TL_INLINE int32_t bias_of(product_kind kind, int32_t bias, int32_t sum_of_weights, const bias_scale *by)
{
    const int32_t scaled = scale_bias(kind, bias, by);
    return kind == POWER_OF_TWO ? scaled : tl_wrap_sub(scaled, tl_wrap_mul(by->zero_point, sum_of_weights));
}

TL_INLINE void scale_all(product_kind kind,
                         const bias_scale *from,
                         const int32_t *constants,
                         int32_t channels,
                         int32_t is_packed,
                         int32_t *biases)
{
    const bias_scale by = *from;
    for (; channels >= 4; channels -= 4) {
        const int32_t bias_0 = bias_of(kind, constants[0], constants[4], &by);
        const int32_t bias_1 = bias_of(kind, constants[1], constants[5], &by);
        const int32_t bias_2 = bias_of(kind, constants[2], constants[6], &by);
        const int32_t bias_3 = bias_of(kind, constants[3], constants[7], &by);
        biases[0] = bias_0;
        biases[1] = is_packed ? tl_wrap_add(tl_wrap_shift_left(bias_1, 8), bias_0) : bias_1;
        biases[2] = bias_2;
        biases[3] = is_packed ? tl_wrap_add(tl_wrap_shift_left(bias_3, 8), bias_2) : bias_3;
        constants += 12;
        biases += 4;
    }
    for (; channels > 0; channels--) {
        *biases++ = bias_of(kind, constants[0], constants[4], &by);
        constants++;
    }
}

void tl_dynamic_biases(const tl_dynamic_params *dynamic,
                       const int32_t *input_scale,
                       const int32_t *constants,
                       int32_t channels,
                       int32_t is_packed,
                       int32_t *biases)
{
    const bias_scale by = {tl_reciprocal(input_scale[0]),
                           tl_clamp(30 + input_scale[1] + dynamic->bias_exponent, 1, 62),
                           input_scale[2]};
    if (by.right <= 33 || (by.reciprocal == 0x80000000U && by.zero_point != 0)) {
        scale_all(ANY_PRODUCT, &by, constants, channels, is_packed, biases);
    } else if (by.reciprocal == 0x80000000U) {
        scale_all(POWER_OF_TWO, &by, constants, channels, is_packed, biases); /* the Q scheme */
    } else {
        scale_all(HIGH_WORD, &by, constants, channels, is_packed, biases);
    }
}
