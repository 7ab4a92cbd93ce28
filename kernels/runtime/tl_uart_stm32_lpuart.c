/* SPDX-License-Identifier: MIT
 * LPUART1 of the STM32L4+ on PG7 (transmit) and PG8 (receive), alternate function 8: RM0432 chapters 5 (PWR), 6 (RCC),
 * 8 (GPIO) and 51 (LPUART); DS12023 table 17 for the pins. Port G hangs on VDDIO2, which must be declared valid first.
 */
#include "tl_uart.h"

#define RCC_AHB2ENR TL_REGISTER(0x4002104CU)
#define RCC_AHB2ENR_GPIOGEN (1U << 6)
#define RCC_APB1ENR1 TL_REGISTER(0x40021058U)
#define RCC_APB1ENR1_PWREN (1U << 28)
#define RCC_APB1ENR2 TL_REGISTER(0x4002105CU)
#define RCC_APB1ENR2_LPUART1EN 1U
#define PWR_CR2 TL_REGISTER(0x40007004U)
#define PWR_CR2_IOSV (1U << 9)
#define GPIOG_MODER TL_REGISTER(0x48001800U)
#define GPIOG_AFRL TL_REGISTER(0x48001820U)
#define GPIOG_AFRH TL_REGISTER(0x48001824U)
#define LPUART_CR1 TL_REGISTER(TL_UART_BASE + 0x00U)
#define LPUART_CR1_UE 1U
#define LPUART_CR1_TE (1U << 3)
#define LPUART_BRR TL_REGISTER(TL_UART_BASE + 0x0CU)
#define LPUART_ISR TL_REGISTER(TL_UART_BASE + 0x1CU)
#define LPUART_ISR_TXE (1U << 7)
#define LPUART_TDR TL_REGISTER(TL_UART_BASE + 0x28U)

void tl_uart_init(void)
{
    RCC_APB1ENR1 |= RCC_APB1ENR1_PWREN;
    RCC_AHB2ENR |= RCC_AHB2ENR_GPIOGEN;
    RCC_APB1ENR2 |= RCC_APB1ENR2_LPUART1EN;
    PWR_CR2 |= PWR_CR2_IOSV;
    GPIOG_MODER = (GPIOG_MODER & ~(0xFU << 14)) | (0xAU << 14); /* PG7, PG8: alternate function */
    GPIOG_AFRL = (GPIOG_AFRL & ~(0xFU << 28)) | (8U << 28);
    GPIOG_AFRH = (GPIOG_AFRH & ~0xFU) | 8U;
    LPUART_BRR = (uint32_t)((256ULL * TL_CLOCK_HZ + TL_UART_BAUD / 2U) / TL_UART_BAUD);
    LPUART_CR1 = LPUART_CR1_UE | LPUART_CR1_TE;
}

void tl_uart_write(uint8_t byte)
{
    while ((LPUART_ISR & LPUART_ISR_TXE) == 0) {
    }
    LPUART_TDR = byte;
}
