/* SPDX-License-Identifier: MIT
 * nRF52 (nRF52840 PS 4.3.1 to 4.3.3): words are written by stores while CONFIG allows it, pages of 4 KiB erased. The
 * core waits meanwhile; only instructions are cached. */
#include "tl_flash.h"

#define NVMC_READY TL_REGISTER(0x4001E400U)
#define NVMC_CONFIG TL_REGISTER(0x4001E504U)
#define NVMC_ERASEPAGE TL_REGISTER(0x4001E508U)
#define PAGE_BYTES 4096U

enum { CONFIG_READ = 0, CONFIG_WRITE = 1, CONFIG_ERASE = 2 };

static void wait(void)
{
    while ((NVMC_READY & 1U) == 0) {
    }
}

static void allow(uint32_t what)
{
    NVMC_CONFIG = what;
    wait();
}

int32_t tl_flash_erase(void *part, uint32_t offset, uint32_t bytes)
{
    const uint32_t first = (uint32_t)(uintptr_t)part + offset;
    allow(CONFIG_ERASE);
    for (uint32_t page = first; page < first + bytes; page += PAGE_BYTES) {
        NVMC_ERASEPAGE = page;
        wait();
    }
    allow(CONFIG_READ);
    return 0;
}

int32_t tl_flash_program(void *part, uint32_t offset, const uint8_t *unit)
{
    uint32_t words[2];
    volatile uint32_t *to = (volatile uint32_t *)((uintptr_t)part + offset);
    memcpy(words, unit, sizeof(words));
    allow(CONFIG_WRITE);
    to[0] = words[0];
    wait();
    to[1] = words[1];
    wait();
    allow(CONFIG_READ);
    return 0;
}
