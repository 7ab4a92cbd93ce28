/* SPDX-License-Identifier: MIT
 * Table lookup, four bytes per step. */
#include "tl_activation.h"
#include "tl_support.h"

/* Refer header file for details. */
tl_status tl_lut_s8(const int8_t *table, const void *input, void *output, int32_t size)
{
    const uint8_t *const entries = (const uint8_t *)table;
    const uint8_t *in = (const uint8_t *)input;
    uint8_t *out = (uint8_t *)output;
    int32_t left = size;

    for (; left >= 4; left -= 4, in += 4, out += 4) {
        const uint32_t word = tl_load_word(in);
        out[0] = entries[word & 0xFFU];
        out[1] = entries[(word >> 8) & 0xFFU];
        out[2] = entries[(word >> 16) & 0xFFU];
        out[3] = entries[word >> 24];
    }
    for (; left > 0; --left) {
        *out++ = entries[*in++];
    }
    return TL_OK;
}
