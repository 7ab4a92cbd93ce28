/* SPDX-License-Identifier: MIT
 * STM32G0 from reset (HSI16) to 64 MHz by the PLL: RM0444 3.3.4 (two wait states above 48 MHz in range 1), 5.4 (RCC
 * registers). */
#include "tl_runtime.h"

#define RCC_CR TL_REGISTER(0x40021000U)
#define RCC_CR_PLLON (1U << 24)
#define RCC_CR_PLLRDY (1U << 25)
#define RCC_CFGR TL_REGISTER(0x40021008U)
#define RCC_CFGR_SW_PLL 2U
#define RCC_CFGR_SWS_PLL (2U << 3)
#define RCC_CFGR_SWS_MASK (7U << 3)
#define RCC_PLLCFGR TL_REGISTER(0x4002100CU)
#define RCC_PLLCFGR_HSI16_8_2 0x30000802U /* source HSI16, M 1, N 8, R 2 and its output on: 64 MHz */
#define FLASH_ACR TL_REGISTER(0x40022000U)
#define FLASH_ACR_LATENCY_2WS 2U
#define FLASH_ACR_LATENCY_MASK 7U
#define FLASH_ACR_PRFTEN (1U << 8)
#define FLASH_ACR_ICEN (1U << 9)

void tl_clock_init(void)
{
    FLASH_ACR = (FLASH_ACR & ~FLASH_ACR_LATENCY_MASK) | FLASH_ACR_LATENCY_2WS | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN;
    while ((FLASH_ACR & FLASH_ACR_LATENCY_MASK) != FLASH_ACR_LATENCY_2WS) {
    }
    RCC_PLLCFGR = RCC_PLLCFGR_HSI16_8_2;
    RCC_CR |= RCC_CR_PLLON;
    while ((RCC_CR & RCC_CR_PLLRDY) == 0) {
    }
    RCC_CFGR = RCC_CFGR_SW_PLL;
    while ((RCC_CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
    }
}
