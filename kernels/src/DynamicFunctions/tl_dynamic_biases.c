/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"

/* round(bias * reciprocal / 2^right); right: 1..62. From 33 on the rounding and the shift concern the high word alone.
 */
TL_INLINE int32_t scale_bias(int32_t bias, int64_t reciprocal, int32_t right)
{
    const int64_t product = bias * reciprocal;
    if (right < 33) {
        return (int32_t)((product + ((int64_t)1 << (right - 1))) >> right);
    }
    return ((int32_t)(product >> 32) + (1 << (right - 33))) >> (right - 32);
}

void tl_dynamic_biases(const tl_dynamic_params *dynamic,
                       const int32_t *input_scale,
                       const int32_t *constants,
                       int32_t channels,
                       int32_t is_packed,
                       int32_t *biases)
{
    const int32_t right = tl_clamp(30 + input_scale[1] + dynamic->bias_exponent, 1, 62);
    const int64_t reciprocal = tl_reciprocal(input_scale[0]);
    const int32_t zero_point = input_scale[2];
    for (int32_t c = 0; c < channels; c++) {
        const int32_t *block = constants + 12 * (c >> 2) + (c & 3);
        const int32_t bias = scale_bias(block[0], reciprocal, right);
        biases[c] = tl_wrap_sub(bias, tl_wrap_mul(zero_point, block[4]));
        if (is_packed && (c & 1)) {
            biases[c] = tl_wrap_add(tl_wrap_mul(256, biases[c]), biases[c - 1]);
        }
    }
}
