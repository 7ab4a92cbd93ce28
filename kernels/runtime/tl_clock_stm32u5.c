/* SPDX-License-Identifier: MIT
 * STM32U575 (-Q: with SMPS) from reset (MSIS 4 MHz) to 160 MHz by PLL1, with the instruction cache on: RM0456 10.5.1
 * (SMPS instead of the LDO, which about halves the current), 10.5.4 (range 1 and its booster), 7.3.3 (four wait
 * states), 11.8 (RCC registers), 8.4 (ICACHE). */
#include "tl_runtime.h"

#define RCC_BASE 0x46020C00U
#define RCC_CR TL_REGISTER(RCC_BASE + 0x00U)
#define RCC_CR_PLL1ON (1U << 24)
#define RCC_CR_PLL1RDY (1U << 25)
#define RCC_CFGR1 TL_REGISTER(RCC_BASE + 0x1CU)
#define RCC_CFGR1_SW_PLL 3U
#define RCC_CFGR1_SWS_PLL (3U << 2)
#define RCC_CFGR1_SWS_MASK (3U << 2)
#define RCC_PLL1CFGR TL_REGISTER(RCC_BASE + 0x28U)
#define RCC_PLL1CFGR_MSIS_R (1U | (1U << 18)) /* source MSIS, M 1, booster clock undivided, output R on */
#define RCC_PLL1DIVR TL_REGISTER(RCC_BASE + 0x34U)
#define RCC_PLL1DIVR_160MHZ (79U | (1U << 9) | (1U << 16) | (1U << 24)) /* 4 MHz * 80 / 2 */
#define RCC_AHB3ENR TL_REGISTER(RCC_BASE + 0x94U)
#define RCC_AHB3ENR_PWREN (1U << 2)
#define PWR_CR3 TL_REGISTER(0x46020808U)
#define PWR_CR3_REGSEL (1U << 1)
#define PWR_SVMSR TL_REGISTER(0x4602083CU)
#define PWR_SVMSR_REGS (1U << 1)
#define PWR_VOSR TL_REGISTER(0x4602080CU)
#define PWR_VOSR_RANGE1 (3U << 16)
#define PWR_VOSR_VOSRDY (1U << 15)
#define PWR_VOSR_BOOSTEN (1U << 18)
#define PWR_VOSR_BOOSTRDY (1U << 14)
#define FLASH_ACR TL_REGISTER(0x40022000U)
#define FLASH_ACR_4WS_PREFETCH (4U | (1U << 8))
#define ICACHE_CR TL_REGISTER(0x40030400U)
#define ICACHE_CR_EN 1U
#define ICACHE_SR TL_REGISTER(0x40030404U)
#define ICACHE_SR_BUSYF 1U

void tl_clock_init(void)
{
    RCC_AHB3ENR |= RCC_AHB3ENR_PWREN;
    (void)RCC_AHB3ENR; /* the peripheral answers two cycles after its clock is enabled */
    PWR_CR3 |= PWR_CR3_REGSEL;
    while ((PWR_SVMSR & PWR_SVMSR_REGS) == 0) {
    }
    RCC_PLL1CFGR = RCC_PLL1CFGR_MSIS_R;
    PWR_VOSR = PWR_VOSR_RANGE1;
    while ((PWR_VOSR & PWR_VOSR_VOSRDY) == 0) {
    }
    PWR_VOSR |= PWR_VOSR_BOOSTEN;
    while ((PWR_VOSR & PWR_VOSR_BOOSTRDY) == 0) {
    }
    FLASH_ACR = FLASH_ACR_4WS_PREFETCH;
    while (FLASH_ACR != FLASH_ACR_4WS_PREFETCH) {
    }
    while ((ICACHE_SR & ICACHE_SR_BUSYF) != 0) {
    }
    ICACHE_CR |= ICACHE_CR_EN;
    RCC_PLL1DIVR = RCC_PLL1DIVR_160MHZ;
    RCC_CR |= RCC_CR_PLL1ON;
    while ((RCC_CR & RCC_CR_PLL1RDY) == 0) {
    }
    RCC_CFGR1 = RCC_CFGR1_SW_PLL;
    while ((RCC_CFGR1 & RCC_CFGR1_SWS_MASK) != RCC_CFGR1_SWS_PLL) {
    }
}
