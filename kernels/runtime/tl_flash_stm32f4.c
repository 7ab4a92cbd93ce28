/* SPDX-License-Identifier: MIT
 * STM32F4 with one bank (RM0090 3.6.1 unlocking, 3.6.3 erase, 3.6.4 programming of words at 2.7 to 3.6 V). From 128 KiB
 * on sectors have 128 KiB each (table 5); what is before them is left alone. The core waits while flash is busy. */
#define FLASH_ACR TL_REGISTER(0x40023C00U)
#define FLASH_KEYR TL_REGISTER(0x40023C04U)
#define FLASH_SR TL_REGISTER(0x40023C0CU)
#define FLASH_CR TL_REGISTER(0x40023C10U)
#define SECTOR_BYTES 0x20000U
/* Sectors 0 to 4 are smaller and fill the place of one. */
#define SMALL_SECTORS 4U
#define SECTOR_LAST 11U

#define SR_ERRORS 0xF2U
#define CR_SER (1U << 1)
#define CR_SNB(sector) ((sector) << 3)
#define CR_PSIZE_WORD (2U << 8)

#include "tl_flash_stm32.h"

int32_t tl_flash_erase(void *part, uint32_t offset, uint32_t bytes)
{
    const uint32_t at = (uint32_t)(uintptr_t)part + offset - FLASH_START;
    const uint32_t first = SMALL_SECTORS + at / SECTOR_BYTES;
    const uint32_t end = first + bytes / SECTOR_BYTES;
    if (at < SECTOR_BYTES || (at | bytes) % SECTOR_BYTES != 0 || end > SECTOR_LAST + 1U) {
        return -1;
    }
    for (uint32_t sector = first; sector < end; ++sector) {
        unlock();
        FLASH_CR = CR_PSIZE_WORD | CR_SER | CR_SNB(sector);
        FLASH_CR = CR_PSIZE_WORD | CR_SER | CR_SNB(sector) | CR_STRT;
        if (finish() != 0) {
            return -1;
        }
    }
    return 0;
}

int32_t tl_flash_program(void *part, uint32_t offset, const uint8_t *unit)
{
    uint32_t words[2];
    volatile uint32_t *to = (volatile uint32_t *)((uintptr_t)part + offset);
    memcpy(words, unit, sizeof(words));
    unlock();
    FLASH_CR = CR_PSIZE_WORD | CR_PG;
    to[0] = words[0];
    wait();
    to[1] = words[1];
    return finish();
}
