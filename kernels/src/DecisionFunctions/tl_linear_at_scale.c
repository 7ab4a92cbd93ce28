/* SPDX-License-Identifier: MIT
 * Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_dynamic_support.h"

void tl_linear_at_scale(const tl_linear_params *head,
                        const tl_exponent_scale *exponents,
                        int32_t phi_shift,
                        const int32_t *scale,
                        int32_t *bias,
                        tl_linear_params *head_now,
                        tl_exponent_scale *exponents_now)
{
    for (int32_t c = 0; c < head->classes; ++c) {
        bias[c] = tl_rescale_units(head->bias[c], 1 << 30, phi_shift, scale[0], scale[1]);
    }
    *head_now = *head;
    head_now->offset = -scale[2];
    head_now->bias = bias;
    const uint64_t product = (uint64_t)(uint32_t)exponents->multiplier * (uint32_t)scale[0];
    const int32_t bits = tl_bit_length(product);
    const int32_t shift = exponents->shift + scale[1] - phi_shift + bits - 61;
    exponents_now->multiplier = product == 0 || shift < -31 ? 0
                                : shift > 0                 ? INT32_MAX
                                                            : (int32_t)(product >> (bits - 31));
    exponents_now->shift = exponents_now->multiplier == 0 || shift > 0 ? 0 : shift;
}
