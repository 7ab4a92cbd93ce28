/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. */
#include "tl_dynamic_support.h"
#include "tl_fully_connected_block.h"

int32_t tl_fully_connected_dynamic_s8_get_buffer_size(const tl_dims *output_dims)
{
    return 4 * (output_dims->n * output_dims->c + ((output_dims->c + 3) & ~3));
}

tl_status tl_fully_connected_dynamic_s8(const tl_context *ctx,
                                        const tl_dynamic_params *dynamic,
                                        const tl_dims *input_dims,
                                        const int8_t *input,
                                        const int8_t *filter,
                                        const int32_t *constants,
                                        const tl_dims *output_dims,
                                        int8_t *output,
                                        const int32_t *input_scale,
                                        int32_t *output_scale)
{
    const int32_t outputs = output_dims->n * output_dims->c;
    int32_t *sums = (int32_t *)ctx->buf;
    int32_t *biases = sums + outputs;
    int32_t *next = sums;
    const tl_scan_kind kind = tl_scan_kind_of(dynamic);
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, NULL);
    tl_dynamic_biases(dynamic, input_scale, constants, (output_dims->c + 3) & ~3, 1, biases);
    for (int32_t row = 0; row < output_dims->n; row++) {
        const int8_t *weights = filter;
        for (int32_t unit = 0; unit < output_dims->c; unit += 4) {
            int32_t twice[4];
            weights = tl_fully_connected_block(input, input_dims->c, weights, biases + unit, twice);
            for (int32_t i = 0; i < tl_min(output_dims->c - unit, 4); i++) {
                const int32_t multiplier = constants[3 * unit + 8 + i];
                const int32_t value = tl_smmulr(tl_wrap_shift_left(twice[i], 7), multiplier);
                *next++ = tl_scan(kind, value, &range.low, &range.high);
            }
        }
        input += input_dims->c;
    }
    tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
    tl_dynamic_requantize(&range, sums, output, outputs, dynamic->is_relu);
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, NULL);
    return TL_OK;
}
