/* SPDX-License-Identifier: MIT
 * STM32F746 from reset (HSI) to 216 MHz by the PLL and a 25 MHz crystal, with over-drive: RM0385 3.3.2 (seven wait
 * states), 4.1.4 (over-drive: on while the PLL runs, before the switch), 5.3 (RCC registers). Caches: Arm DDI 0403E
 * B3.2, PM0253 4.8. */
#include "tl_runtime.h"

#define RCC_CR TL_REGISTER(0x40023800U)
#define RCC_CR_HSEON (1U << 16)
#define RCC_CR_HSERDY (1U << 17)
#define RCC_CR_PLLON (1U << 24)
#define RCC_CR_PLLRDY (1U << 25)
#define RCC_PLLCFGR TL_REGISTER(0x40023804U)
#define RCC_PLLCFGR_HSE_216 (25U | (432U << 6) | (1U << 22) | (9U << 24)) /* 25 MHz / 25 * 432 / 2; Q 9 */
#define RCC_CFGR TL_REGISTER(0x40023808U)
#define RCC_CFGR_SW_PLL 2U
#define RCC_CFGR_SWS_PLL (2U << 2)
#define RCC_CFGR_SWS_MASK (3U << 2)
#define RCC_CFGR_APB1_DIV4 (5U << 10)
#define RCC_CFGR_APB2_DIV2 (4U << 13)
#define RCC_APB1ENR TL_REGISTER(0x40023840U)
#define RCC_APB1ENR_PWREN (1U << 28)
#define PWR_CR1 TL_REGISTER(0x40007000U)
#define PWR_CR1_ODEN (1U << 16)
#define PWR_CR1_ODSWEN (1U << 17)
#define PWR_CSR1 TL_REGISTER(0x40007004U)
#define PWR_CSR1_ODRDY (1U << 16)
#define PWR_CSR1_ODSWRDY (1U << 17)
#define FLASH_ACR TL_REGISTER(0x40023C00U)
#define FLASH_ACR_7WS_ART (7U | (1U << 8) | (1U << 9)) /* prefetch, ART accelerator */

void tl_clock_init(void)
{
    tl_caches_init();
    RCC_APB1ENR |= RCC_APB1ENR_PWREN;
    (void)RCC_APB1ENR; /* the peripheral answers two cycles after its clock is enabled */
    RCC_CR |= RCC_CR_HSEON;
    while ((RCC_CR & RCC_CR_HSERDY) == 0) {
    }
    RCC_PLLCFGR = RCC_PLLCFGR_HSE_216;
    RCC_CR |= RCC_CR_PLLON;
    PWR_CR1 |= PWR_CR1_ODEN;
    while ((PWR_CSR1 & PWR_CSR1_ODRDY) == 0) {
    }
    PWR_CR1 |= PWR_CR1_ODSWEN;
    while ((PWR_CSR1 & PWR_CSR1_ODSWRDY) == 0) {
    }
    FLASH_ACR = FLASH_ACR_7WS_ART;
    while (FLASH_ACR != FLASH_ACR_7WS_ART) {
    }
    while ((RCC_CR & RCC_CR_PLLRDY) == 0) {
    }
    RCC_CFGR = RCC_CFGR_APB1_DIV4 | RCC_CFGR_APB2_DIV2;
    RCC_CFGR |= RCC_CFGR_SW_PLL;
    while ((RCC_CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
    }
}
