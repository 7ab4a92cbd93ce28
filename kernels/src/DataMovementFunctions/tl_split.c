/* SPDX-License-Identifier: MIT
 * SPLIT by blocks of bytes, input read front to back. */
#include "tl_data_movement.h"

#include <string.h>

/* Refer header file for details. */
tl_status tl_split(const void *input, int32_t outer, int32_t block_bytes, int32_t output_count, void *const *outputs)
{
    const uint8_t *in = (const uint8_t *)input;
    if (output_count < 1 || outer < 0 || block_bytes < 0) {
        return TL_ARGUMENT_ERROR;
    }
    const size_t bytes = (size_t)block_bytes;
    for (int32_t o = 0; o < outer; ++o) {
        for (int32_t i = 0; i < output_count; ++i) {
            memcpy((uint8_t *)outputs[i] + (size_t)o * bytes, in, bytes);
            in += bytes;
        }
    }
    return TL_OK;
}
