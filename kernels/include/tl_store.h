/* SPDX-License-Identifier: MIT
 * A block of data that survives resets at any moment: two slots of flash, the older one is overwritten, a CRC tells a whole record from the remains of
 * an interrupted write. Works on NOR flash: erasing sets bits, programming clears them. */
#ifndef TL_STORE_H
#define TL_STORE_H

#include "tl_crc32.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that are programmed at a time; many parts program doublewords only, each once between erasures. */
#define TL_STORE_UNIT 8
/** Before the data: sequence number, length, CRC, complement of the sequence number. */
#define TL_STORE_HEADER_BYTES 16

/** The part's flash. Both functions return 0, or -1 when the controller reports an error. */
typedef struct {
    /* Sets `bytes` from offset on to 0xFF; offset and bytes are those of a slot. */
    int32_t (*erase)(void *part, uint32_t offset, uint32_t bytes);
    /* Programs TL_STORE_UNIT bytes at a multiple of that. */
    int32_t (*program)(void *part, uint32_t offset, const uint8_t *unit);
    void *part;
    const uint8_t *memory; /* where offset 0 is read */
    uint32_t slot_bytes;   /* of each slot, a whole number of erase pages; slot 1 follows slot 0 */
} tl_store_flash;

/**
 * Writes data as the newest record. A reset at any moment leaves the record before it, or this one, whole. @param bytes a multiple of TL_STORE_UNIT, at
 * most slot_bytes - TL_STORE_HEADER_BYTES. Returns 0 when it has been read back.
 */
int32_t tl_store_write(const tl_store_flash *flash, const void *data, uint32_t bytes);

/** The newest whole record of so many bytes, in place; NULL when there is none. */
const void *tl_store_read(const tl_store_flash *flash, uint32_t bytes);

/** Index of the slot with the newest whole record of so many bytes, -1 when there is none. */
int32_t tl_store_newest(const tl_store_flash *flash, uint32_t bytes, uint32_t *sequence);

#ifdef __cplusplus
}
#endif
#endif
