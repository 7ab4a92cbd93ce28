/* SPDX-License-Identifier: MIT
 * int8 MINIMUM. Rows without repetition are compared four elements at a time where there is DSP. */
#include "tl_basic_math.h"
#include "tl_support_bytes.h"

/* Refer header file for details. */
tl_status
tl_broadcast_minimum_s8(const tl_broadcast *shape, const int8_t *input_1, const int8_t *input_2, int8_t *output)
{
    const int32_t last = TL_MAX_BROADCAST_DIMS - 1;
    const int32_t count = shape->extent[last];
    const int32_t step_1 = shape->stride_1[last];
    const int32_t step_2 = shape->stride_2[last];
    tl_broadcast_row row = {{0}, 0, 0};
    do {
        const int8_t *a = input_1 + row.offset_1;
        const int8_t *b = input_2 + row.offset_2;
        int32_t i = 0;
#if defined(TL_USE_DSP)
        if (step_1 == 1 && step_2 == 1) {
            for (; i + 4 <= count; i += 4, a += 4, b += 4) {
                tl_store_word(output + i, tl_min4_s8(tl_load_word(a), tl_load_word(b)));
            }
        }
#endif
        for (; i < count; ++i, a += step_1, b += step_2) {
            output[i] = (int8_t)tl_min(*a, *b);
        }
        output += count;
    } while (tl_broadcast_next_row(shape, &row));
    return TL_OK;
}
