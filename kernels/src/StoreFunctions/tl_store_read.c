/* SPDX-License-Identifier: MIT
 * Refer to tl_store.h. */
#include "tl_store.h"

const void *tl_store_read(const tl_store_flash *flash, uint32_t bytes)
{
    uint32_t sequence = 0;
    const int32_t slot = tl_store_newest(flash, bytes, &sequence);
    return slot < 0 ? NULL : flash->memory + (uint32_t)slot * flash->slot_bytes + TL_STORE_HEADER_BYTES;
}
