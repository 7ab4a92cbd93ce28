/* SPDX-License-Identifier: MIT
 * Refer to tl_crc32.h. */
#include "tl_crc32.h"

uint32_t tl_crc32(uint32_t crc, const void *data, uint32_t bytes)
{
    /* Polynomial 0xEDB88320 reflected, four bits at a time. */
    static const uint32_t table[16] = {
        0x00000000U,
        0x1DB71064U,
        0x3B6E20C8U,
        0x26D930ACU,
        0x76DC4190U,
        0x6B6B51F4U,
        0x4DB26158U,
        0x5005713CU,
        0xEDB88320U,
        0xF00F9344U,
        0xD6D6A3E8U,
        0xCB61B38CU,
        0x9B64C2B0U,
        0x86D3D2D4U,
        0xA00AE278U,
        0xBDBDF21CU,
    };
    const uint8_t *next = (const uint8_t *)data;
    crc = ~crc;
    for (; bytes > 0; --bytes) {
        crc ^= *next++;
        crc = (crc >> 4) ^ table[crc & 15U];
        crc = (crc >> 4) ^ table[crc & 15U];
    }
    return ~crc;
}
