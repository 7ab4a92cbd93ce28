/* SPDX-License-Identifier: MIT
 * What the flash controllers of STM32F4 and L4+ have in common (RM0090 3.6.1, 3.5.2; RM0432 3.3.5, 3.3.6): the lock,
 * and a data cache that must forget. The including driver defines FLASH_ACR, FLASH_KEYR, FLASH_SR, FLASH_CR and
 * SR_ERRORS. */
#ifndef TL_FLASH_STM32_H
#define TL_FLASH_STM32_H

#include "tl_flash.h"

#define FLASH_START 0x08000000U
#define ACR_DCEN (1U << 10)
#define ACR_DCRST (1U << 12)
#define SR_BUSY (1U << 16)
#define CR_PG 1U
#define CR_STRT (1U << 16)
#define CR_LOCK (1U << 31)

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

/* Ends the operation. What the data cache holds of before is dropped. */
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

#endif
