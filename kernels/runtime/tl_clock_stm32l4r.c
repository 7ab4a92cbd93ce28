/* SPDX-License-Identifier: MIT
 * STM32L4+ from reset (MSI, 4 MHz) to 120 MHz by the PLL: RM0432 5.1.8 (dynamic voltage scaling, range 1 boost), 3.3.3
 * (flash wait states), 6.2.7 and 6.4 (PLL, RCC registers). Above 80 MHz the manual asks for a step at half the clock,
 * by the AHB prescaler, for at least 1 us. */
#include "tl_runtime.h"

#define RCC_CR TL_REGISTER(0x40021000U)
#define RCC_CR_MSION 1U
#define RCC_CR_MSIRDY (1U << 1)
#define RCC_CR_PLLON (1U << 24)
#define RCC_CR_PLLRDY (1U << 25)
#define RCC_CFGR TL_REGISTER(0x40021008U)
#define RCC_CFGR_SW_PLL 3U
#define RCC_CFGR_SW_MASK 3U
#define RCC_CFGR_SWS_PLL (3U << 2)
#define RCC_CFGR_SWS_MASK (3U << 2)
#define RCC_CFGR_HPRE_DIV2 (8U << 4)
#define RCC_CFGR_HPRE_MASK (0xFU << 4)
#define RCC_PLLCFGR TL_REGISTER(0x4002100CU)
#define RCC_PLLCFGR_PLLSRC_MSI 1U
#define RCC_PLLCFGR_PLLM(divider) (((uint32_t)(divider)-1U) << 4)
#define RCC_PLLCFGR_PLLN(n) ((n) << 8)
#define RCC_PLLCFGR_PLLREN (1U << 24)
#define RCC_PLLCFGR_PLLR_DIV2 (0U << 25)
#define RCC_APB1ENR1 TL_REGISTER(0x40021058U)
#define RCC_APB1ENR1_PWREN (1U << 28)
#define PWR_SR2 TL_REGISTER(0x40007014U)
#define PWR_SR2_VOSF (1U << 10)
#define PWR_CR5 TL_REGISTER(0x40007080U)
#define PWR_CR5_R1MODE (1U << 8) /* 0: range 1 boost */
#define FLASH_ACR TL_REGISTER(0x40022000U)
#define FLASH_ACR_LATENCY_5WS 5U
#define FLASH_ACR_LATENCY_MASK 0xFU
#define FLASH_ACR_PRFTEN (1U << 8)
#define FLASH_ACR_ICEN (1U << 9)
#define FLASH_ACR_DCEN (1U << 10)

/* At least 1 us at 60 MHz, whatever the loop costs beyond one cycle a turn. */
#define HALF_SPEED_TURNS 60

void tl_clock_init(void)
{
    RCC_APB1ENR1 |= RCC_APB1ENR1_PWREN;
    (void)RCC_APB1ENR1; /* the peripheral answers two cycles after its clock is enabled */
    PWR_CR5 &= ~PWR_CR5_R1MODE;
    while ((PWR_SR2 & PWR_SR2_VOSF) != 0) {
    }
    FLASH_ACR = (FLASH_ACR & ~FLASH_ACR_LATENCY_MASK) | FLASH_ACR_LATENCY_5WS | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN |
                FLASH_ACR_DCEN;
    while ((FLASH_ACR & FLASH_ACR_LATENCY_MASK) != FLASH_ACR_LATENCY_5WS) {
    }
    RCC_CR |= RCC_CR_MSION;
    while ((RCC_CR & RCC_CR_MSIRDY) == 0) {
    }
    /* 4 MHz / 1 * 60 / 2 = 120 MHz */
    RCC_PLLCFGR = RCC_PLLCFGR_PLLSRC_MSI | RCC_PLLCFGR_PLLM(1U) | RCC_PLLCFGR_PLLN(60U) | RCC_PLLCFGR_PLLR_DIV2 |
                  RCC_PLLCFGR_PLLREN;
    RCC_CR |= RCC_CR_PLLON;
    while ((RCC_CR & RCC_CR_PLLRDY) == 0) {
    }
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_HPRE_MASK) | RCC_CFGR_HPRE_DIV2;
    RCC_CFGR = (RCC_CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW_PLL;
    while ((RCC_CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
    }
    for (int32_t turn = 0; turn < HALF_SPEED_TURNS; ++turn) {
        __asm volatile("nop");
    }
    RCC_CFGR &= ~RCC_CFGR_HPRE_MASK;
}
