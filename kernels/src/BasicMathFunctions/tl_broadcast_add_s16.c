/* SPDX-License-Identifier: MIT
 * ADD of int16 with NumPy broadcasting, row by row of the innermost dimension. */
#include "tl_int16.h"
#include "tl_support.h"

/* TFLite's left_shift for int16: head room for the rescaling. */
#define LEFT_SHIFT 15

/* Refer header file for details. */
tl_status tl_broadcast_add_s16(const tl_add_params_s16 *params,
                               const tl_broadcast *shape,
                               const int16_t *input_1,
                               const int16_t *input_2,
                               int16_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    tl_broadcast_row row = {{0}, 0, 0};

    do {
        const int16_t *a = input_1 + row.offset_1;
        const int16_t *b = input_2 + row.offset_2;
        for (int32_t i = shape->extent[last]; i > 0; --i) {
            const int32_t scaled_1 = tl_requantize(*a * (1 << LEFT_SHIFT), params->input_1_multiplier, params->input_1_shift);
            const int32_t scaled_2 = tl_requantize(*b * (1 << LEFT_SHIFT), params->input_2_multiplier, params->input_2_shift);
            const int32_t combined = tl_wrap_add(scaled_1, scaled_2);
            const int32_t value = tl_requantize(combined, params->output_multiplier, params->output_shift);
            *output++ = (int16_t)tl_clamp(value, params->activation.min, params->activation.max);
            a += shape->stride_1[last];
            b += shape->stride_2[last];
        }
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
