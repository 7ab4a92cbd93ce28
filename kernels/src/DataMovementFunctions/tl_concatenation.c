/* SPDX-License-Identifier: MIT
 * CONCATENATION by blocks of bytes, output written front to back. */
#include "tl_data_movement.h"

#include <string.h>

/* Refer header file for details. */
tl_status tl_concatenation(
    const void *const *inputs, const int32_t *block_bytes, int32_t input_count, int32_t outer, void *output)
{
    uint8_t *out = (uint8_t *)output;
    if (input_count < 1 || outer < 0) {
        return TL_ARGUMENT_ERROR;
    }
    for (int32_t o = 0; o < outer; ++o) {
        for (int32_t i = 0; i < input_count; ++i) {
            const size_t bytes = (size_t)block_bytes[i];
            memcpy(out, (const uint8_t *)inputs[i] + (size_t)o * bytes, bytes);
            out += bytes;
        }
    }
    return TL_OK;
}
