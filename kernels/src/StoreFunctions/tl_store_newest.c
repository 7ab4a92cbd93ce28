/* SPDX-License-Identifier: MIT
 * Refer to tl_store.h. */
#include <string.h>

#include "tl_store.h"

int32_t tl_store_newest(const tl_store_flash *flash, uint32_t bytes, uint32_t *sequence)
{
    int32_t newest = -1;
    for (int32_t slot = 0; slot < 2; ++slot) {
        const uint8_t *record = flash->memory + (uint32_t)slot * flash->slot_bytes;
        uint32_t header[4];
        memcpy(header, record, sizeof(header));
        const uint32_t crc = tl_crc32(tl_crc32(0, header, 8), record + TL_STORE_HEADER_BYTES, bytes);
        if (header[1] != bytes || header[2] != crc || header[3] != ~header[0]) {
            continue;
        }
        /* Sequence numbers wrap: the newer one is ahead by less than half of them. */
        if (newest < 0 || header[0] - *sequence < 0x80000000U) {
            newest = slot;
            *sequence = header[0];
        }
    }
    return newest;
}
