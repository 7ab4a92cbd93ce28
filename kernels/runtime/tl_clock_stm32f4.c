/* SPDX-License-Identifier: MIT
 * STM32F407 from reset (HSI) to 168 MHz by the PLL and an 8 MHz crystal: RM0090 3.5.1 (five wait states), 5.1.4 (VOS is
 * scale 1 after reset), 7.3 (RCC registers). APB1 may run at 42 MHz, APB2 at 84 MHz. */
#include "tl_runtime.h"

#define RCC_CR TL_REGISTER(0x40023800U)
#define RCC_CR_HSEON (1U << 16)
#define RCC_CR_HSERDY (1U << 17)
#define RCC_CR_PLLON (1U << 24)
#define RCC_CR_PLLRDY (1U << 25)
#define RCC_PLLCFGR TL_REGISTER(0x40023804U)
#define RCC_PLLCFGR_HSE_168 (8U | (336U << 6) | (1U << 22) | (7U << 24)) /* 8 MHz / 8 * 336 / 2; Q 7 */
#define RCC_CFGR TL_REGISTER(0x40023808U)
#define RCC_CFGR_SW_PLL 2U
#define RCC_CFGR_SWS_PLL (2U << 2)
#define RCC_CFGR_SWS_MASK (3U << 2)
#define RCC_CFGR_APB1_DIV4 (5U << 10)
#define RCC_CFGR_APB2_DIV2 (4U << 13)
#define FLASH_ACR TL_REGISTER(0x40023C00U)
#define FLASH_ACR_5WS_CACHED (5U | (1U << 8) | (1U << 9) | (1U << 10)) /* prefetch, instruction and data cache */

void tl_clock_init(void)
{
    RCC_CR |= RCC_CR_HSEON;
    while ((RCC_CR & RCC_CR_HSERDY) == 0) {
    }
    FLASH_ACR = FLASH_ACR_5WS_CACHED;
    while (FLASH_ACR != FLASH_ACR_5WS_CACHED) {
    }
    RCC_PLLCFGR = RCC_PLLCFGR_HSE_168;
    RCC_CR |= RCC_CR_PLLON;
    while ((RCC_CR & RCC_CR_PLLRDY) == 0) {
    }
    RCC_CFGR = RCC_CFGR_APB1_DIV4 | RCC_CFGR_APB2_DIV2;
    RCC_CFGR |= RCC_CFGR_SW_PLL;
    while ((RCC_CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
    }
}
