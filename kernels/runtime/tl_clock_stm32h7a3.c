/* SPDX-License-Identifier: MIT
 * STM32H7A3 with SMPS from reset (HSI 64 MHz) to 280 MHz by PLL1: RM0455 6.4 (supply configuration once after reset,
 * then VOS0), 4.3.8 (six wait states at VOS0), 8.7 (RCC registers). */
#include "tl_runtime.h"

#define RCC_BASE 0x58024400U
#define RCC_CR TL_REGISTER(RCC_BASE + 0x00U)
#define RCC_CR_PLL1ON (1U << 24)
#define RCC_CR_PLL1RDY (1U << 25)
#define RCC_CFGR TL_REGISTER(RCC_BASE + 0x10U)
#define RCC_CFGR_SW_PLL1 3U
#define RCC_CFGR_SWS_PLL1 (3U << 3)
#define RCC_CFGR_SWS_MASK (7U << 3)
#define RCC_CDCFGR2 TL_REGISTER(RCC_BASE + 0x1CU)
#define RCC_CDCFGR2_APB_DIV2 ((4U << 4) | (4U << 8))
#define RCC_PLLCKSELR TL_REGISTER(RCC_BASE + 0x28U)
#define RCC_PLLCKSELR_HSI_DIV16 (16U << 4) /* 4 MHz into PLL1 */
#define RCC_PLLCFGR TL_REGISTER(RCC_BASE + 0x2CU)
#define RCC_PLLCFGR_4_8MHZ_P (0x8U | (1U << 16)) /* PLL1RGE: 4 to 8 MHz, wide VCO; output P on */
#define RCC_PLL1DIVR TL_REGISTER(RCC_BASE + 0x30U)
#define RCC_PLL1DIVR_280MHZ (139U | (1U << 9) | (1U << 16) | (1U << 24)) /* N 140, P 2, Q 2, R 2 */
#define PWR_CSR1 TL_REGISTER(0x58024804U)
#define PWR_CSR1_ACTVOSRDY (1U << 13)
#define PWR_CR3 TL_REGISTER(0x5802480CU)
#define PWR_CR3_SUPPLY_MASK 7U
#define PWR_CR3_SMPSEN (1U << 2)
#define PWR_SRDCR TL_REGISTER(0x58024818U)
#define PWR_SRDCR_VOSRDY (1U << 13)
#define PWR_SRDCR_VOS0 (3U << 14)
#define FLASH_ACR TL_REGISTER(0x52002000U)
#define FLASH_ACR_6WS (6U | (3U << 4)) /* WRHIGHFREQ 3 */

void tl_clock_init(void)
{
    tl_caches_init();
    PWR_CR3 = (PWR_CR3 & ~PWR_CR3_SUPPLY_MASK) | PWR_CR3_SMPSEN;
    while ((PWR_CSR1 & PWR_CSR1_ACTVOSRDY) == 0) {
    }
    PWR_SRDCR = PWR_SRDCR_VOS0;
    while ((PWR_SRDCR & PWR_SRDCR_VOSRDY) == 0) {
    }
    RCC_PLLCKSELR = RCC_PLLCKSELR_HSI_DIV16;
    RCC_PLLCFGR = RCC_PLLCFGR_4_8MHZ_P;
    RCC_PLL1DIVR = RCC_PLL1DIVR_280MHZ;
    RCC_CR |= RCC_CR_PLL1ON;
    while ((RCC_CR & RCC_CR_PLL1RDY) == 0) {
    }
    FLASH_ACR = FLASH_ACR_6WS;
    while (FLASH_ACR != FLASH_ACR_6WS) {
    }
    RCC_CDCFGR2 = RCC_CDCFGR2_APB_DIV2;
    RCC_CFGR = RCC_CFGR_SW_PLL1;
    while ((RCC_CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL1) {
    }
}
