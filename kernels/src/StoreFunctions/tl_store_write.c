/* SPDX-License-Identifier: MIT
 * The header is programmed last, so that a record whose data is incomplete never has one. Refer to tl_store.h. */
#include <string.h>

#include "tl_store.h"

int32_t tl_store_write(const tl_store_flash *flash, const void *data, uint32_t bytes)
{
    uint32_t sequence = 0;
    const int32_t newest = tl_store_newest(flash, bytes, &sequence);
    const uint32_t slot = newest == 0 ? 1U : 0U;
    const uint32_t start = slot * flash->slot_bytes;
    if (bytes % TL_STORE_UNIT != 0 || bytes > flash->slot_bytes - TL_STORE_HEADER_BYTES) {
        return -1;
    }
    uint32_t header[4] = {sequence + 1U, bytes, 0, 0};
    header[2] = tl_crc32(tl_crc32(0, header, 8), data, bytes);
    header[3] = ~header[0];
    if (flash->erase(flash->part, start, flash->slot_bytes) != 0) {
        return -1;
    }
    const uint8_t *unit = (const uint8_t *)data;
    for (uint32_t at = 0; at < bytes; at += TL_STORE_UNIT) {
        if (flash->program(flash->part, start + TL_STORE_HEADER_BYTES + at, unit + at) != 0) {
            return -1;
        }
    }
    uint8_t header_bytes[TL_STORE_HEADER_BYTES];
    memcpy(header_bytes, header, sizeof(header_bytes));
    for (uint32_t at = 0; at < TL_STORE_HEADER_BYTES; at += TL_STORE_UNIT) {
        if (flash->program(flash->part, start + at, header_bytes + at) != 0) {
            return -1;
        }
    }
    return tl_store_newest(flash, bytes, &sequence) == (int32_t)slot ? 0 : -1;
}
