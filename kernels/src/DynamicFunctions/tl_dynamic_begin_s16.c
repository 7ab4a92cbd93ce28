/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_s16_support.h. */
#include "tl_dynamic_s16_support.h"

/* Bits that aligning takes from shifted sums: 2^30 / 2^32. */
#define ALIGNED_BITS 2

int32_t tl_dynamic_s16_get_buffer_size(const tl_dims *output_dims)
{
    return output_dims->c * ((int32_t)sizeof(int64_t) + 4 * output_dims->n * output_dims->h * output_dims->w);
}

tl_layer_s16 tl_dynamic_begin_s16(const tl_context *ctx,
                                  const tl_dynamic_params_s16 *dynamic,
                                  const int32_t *constants,
                                  const tl_dims *output_dims,
                                  const int32_t *input_scale)
{
    const uint64_t product = (uint64_t)(uint32_t)input_scale[0] * (uint32_t)dynamic->weight_multiplier;
    const int32_t bits = tl_bit_length(product);
    const int64_t reciprocal = tl_reciprocal(input_scale[0]);
    const int32_t right = tl_clamp(30 + input_scale[1] + dynamic->bias_exponent, 1, 62);
    int64_t *biases = (int64_t *)ctx->buf;
    for (int32_t c = 0; c < output_dims->c; c++) {
        biases[c] = (constants[2 * c] * reciprocal + ((int64_t)1 << (right - 1))) >> right;
    }
    const tl_layer_s16 layer = {
        dynamic,
        constants,
        biases,
        {(int32_t)(product >> (bits - 31)),
         bits - 62 + input_scale[1] + dynamic->weight_shift + dynamic->sum_shift + ALIGNED_BITS,
         (int32_t *)(void *)(biases + output_dims->c),
         output_dims->n * output_dims->h * output_dims->w * output_dims->c},
    };
    return layer;
}
