/* SPDX-License-Identifier: MIT
 * STM32L4+: RM0432 3.3.5 (unlocking), 3.3.6 (page erase), 3.3.7 (double words). Two banks (DBANK, as delivered), pages
 * of 4 KiB. */
#include "tl_flash.h"

#define FLASH_ACR TL_REGISTER(0x40022000U)
#define FLASH_KEYR TL_REGISTER(0x40022008U)
#define FLASH_SR TL_REGISTER(0x40022010U)
#define FLASH_CR TL_REGISTER(0x40022014U)
#define FLASH_OPTR TL_REGISTER(0x40022020U)
#define FLASH_START 0x08000000U
#define BANK_PAGES 256U
#define PAGE_BYTES 4096U

#define ACR_DCEN (1U << 10)
#define ACR_DCRST (1U << 12)
#define SR_BUSY (1U << 16)
#define SR_ERRORS 0xC3FAU
#define CR_PG 1U
#define CR_PER (1U << 1)
#define CR_STRT (1U << 16)
#define CR_LOCK (1U << 31)
#define OPTR_DBANK (1U << 22)

static void wait(void)
{
    while ((FLASH_SR & SR_BUSY) != 0) {
    }
}

static void unlock(void)
{
    wait();
    if ((FLASH_CR & CR_LOCK) != 0) {
        FLASH_KEYR = 0x45670123U;
        FLASH_KEYR = 0xCDEF89ABU;
    }
    FLASH_SR = SR_ERRORS;
}

/* Ends the operation. What the data cache holds of before is dropped (3.3.6). */
static int32_t finish(void)
{
    wait();
    const uint32_t errors = FLASH_SR & SR_ERRORS;
    FLASH_CR = 0;
    FLASH_CR = CR_LOCK;
    const uint32_t acr = FLASH_ACR;
    FLASH_ACR = acr & ~ACR_DCEN;
    FLASH_ACR = (acr & ~ACR_DCEN) | ACR_DCRST;
    FLASH_ACR = acr & ~ACR_DCEN;
    FLASH_ACR = acr;
    return errors == 0 ? 0 : -1;
}

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
