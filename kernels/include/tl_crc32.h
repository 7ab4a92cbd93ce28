/* SPDX-License-Identifier: MIT
 * The checksum of records in flash and of frames on the wire. */
#ifndef TL_CRC32_H
#define TL_CRC32_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** CRC-32 of zlib (ISO 3309, reflected 0x04C11DB7). @param crc of what came before, 0 at the start */
uint32_t tl_crc32(uint32_t crc, const void *data, uint32_t bytes);

#ifdef __cplusplus
}
#endif
#endif
