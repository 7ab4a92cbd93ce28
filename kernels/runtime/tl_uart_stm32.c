/* SPDX-License-Identifier: MIT
 * USART or LPUART of the STM32 families that have a transmit data register of its own: RM0432 chapters 49 and 50 (GPIO:
 * chapter 8). Which clock enables, pins and alternate functions is said by board.h. */
#include "tl_uart_stm32_pins.h"

#define USART_CR1 TL_REGISTER(TL_UART_BASE + 0x00U)
#define USART_CR1_UE 1U
#define USART_CR1_TE (1U << 3)
#define USART_BRR TL_REGISTER(TL_UART_BASE + 0x0CU)
#define USART_ISR TL_REGISTER(TL_UART_BASE + 0x1CU)
#define USART_ISR_TXE (1U << 7)
#define USART_TDR TL_REGISTER(TL_UART_BASE + 0x28U)

/* An LPUART divides 256 times its clock. */
#define BRR_SCALE (TL_UART_IS_LPUART ? 256ULL : 1ULL)

void tl_uart_init(void)
{
    tl_uart_set_up_pins();
    USART_BRR = (uint32_t)((BRR_SCALE * TL_UART_HZ + TL_UART_BAUD / 2U) / TL_UART_BAUD);
    USART_CR1 = USART_CR1_UE | USART_CR1_TE;
}

void tl_uart_write(uint8_t byte)
{
    while ((USART_ISR & USART_ISR_TXE) == 0) {
    }
    USART_TDR = byte;
}
