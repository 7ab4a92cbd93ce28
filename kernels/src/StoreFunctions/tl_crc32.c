/* SPDX-License-Identifier: MIT
 * Refer to tl_store.h. */
#include "tl_store.h"

uint32_t tl_crc32(uint32_t crc, const void *data, uint32_t bytes)
{
    const uint8_t *next = (const uint8_t *)data;
    crc = ~crc;
    for (; bytes > 0; --bytes, ++next) {
        crc ^= *next;
        for (int32_t bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
        }
    }
    return ~crc;
}
