/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* How a stored bias becomes accumulator steps: round(bias * reciprocal / 2^right), right: 1..62. */
typedef struct {
    int64_t reciprocal;
    int32_t right;
    int32_t zero_point;
} bias_scale;

TL_INLINE int32_t scale_bias(int32_t bias, const bias_scale *by)
{
    return (int32_t)((bias * by->reciprocal + ((int64_t)1 << (by->right - 1))) >> by->right);
}

/* The same for a reciprocal of 2^31 and right > 33: what remains is a rounding shift. */
TL_INLINE int32_t shift_bias(int32_t bias, int32_t shift)
{
    return ((bias >> (shift - 1)) + 1) >> 1;
}

/* One block of 4 channels, without a zero point. */
TL_INLINE void shift_block(const int32_t *block, int32_t shift, int32_t is_packed, int32_t *biases)
{
    const int32_t bias_0 = shift_bias(block[0], shift), bias_1 = shift_bias(block[1], shift);
    const int32_t bias_2 = shift_bias(block[2], shift), bias_3 = shift_bias(block[3], shift);
    biases[0] = bias_0;
    biases[1] = is_packed ? tl_wrap_add(tl_wrap_shift_left(bias_1, 8), bias_0) : bias_1;
    biases[2] = bias_2;
    biases[3] = is_packed ? tl_wrap_add(tl_wrap_shift_left(bias_3, 8), bias_2) : bias_3;
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
    int32_t c = 0;
    /* The Q scheme. */
    if (input_scale[0] == 1 << 30 && by.zero_point == 0 && by.right > 33) {
        for (; c + 4 <= channels; c += 4) {
            shift_block(constants + 3 * c, by.right - 31, is_packed, biases + c);
        }
    }
    for (; c < channels; c++) {
        const int32_t *block = constants + 12 * (c >> 2) + (c & 3);
        biases[c] = tl_wrap_sub(scale_bias(block[0], &by), tl_wrap_mul(by.zero_point, block[4]));
        if (is_packed && (c & 1)) {
            biases[c] = tl_wrap_add(tl_wrap_mul(256, biases[c]), biases[c - 1]);
        }
    }
}
