/* SPDX-License-Identifier: MIT
 * STM32L4+: RM0432 3.3.5 (unlocking), 3.3.6 (page erase), 3.3.7 (double words). Two banks (DBANK, as delivered), pages
 * of 4 KiB. */
#define FLASH_ACR TL_REGISTER(0x40022000U)
#define FLASH_KEYR TL_REGISTER(0x40022008U)
#define FLASH_SR TL_REGISTER(0x40022010U)
#define FLASH_CR TL_REGISTER(0x40022014U)
#define FLASH_OPTR TL_REGISTER(0x40022020U)
#define BANK_PAGES 256U
#define PAGE_BYTES 4096U

#define SR_ERRORS 0xC3FAU
#define CR_PER (1U << 1)
#define OPTR_DBANK (1U << 22)

#include "tl_flash_stm32.h"

int32_t tl_flash_erase(void *part, uint32_t offset, uint32_t bytes)
{
    const uint32_t first = ((uint32_t)(uintptr_t)part + offset - FLASH_START) / PAGE_BYTES;
    if ((FLASH_OPTR & OPTR_DBANK) == 0) {
        return -1;
    }
    for (uint32_t page = first; page < first + bytes / PAGE_BYTES; ++page) {
        unlock();
        const uint32_t which = ((page % BANK_PAGES) << 3) | ((page / BANK_PAGES) << 11);
        FLASH_CR = CR_PER | which;
        FLASH_CR = CR_PER | which | CR_STRT;
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
    FLASH_CR = CR_PG;
    to[0] = words[0];
    to[1] = words[1];
    return finish();
}
