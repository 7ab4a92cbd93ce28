/* SPDX-License-Identifier: MIT
 * USART or LPUART of the STM32 families that have a transmit data register of its own: RM0432 chapters 49 and 50 (GPIO:
 * chapter 8). Which clock enables, pins and alternate functions is said by board.h. */
#include "tl_uart_stm32_pins.h"

#define USART_CR1 TL_REGISTER(TL_UART_BASE + 0x00U)
#define USART_CR1_UE 1U
#define USART_CR1_RE (1U << 2)
#define USART_CR1_TE (1U << 3)
#define USART_BRR TL_REGISTER(TL_UART_BASE + 0x0CU)
#define USART_ISR TL_REGISTER(TL_UART_BASE + 0x1CU)
#define USART_ISR_ORE (1U << 3)
#define USART_ISR_RXNE (1U << 5)
#define USART_ISR_TC (1U << 6)
#define USART_ISR_TXE (1U << 7)
#define USART_ICR TL_REGISTER(TL_UART_BASE + 0x20U)
#define USART_RDR TL_REGISTER(TL_UART_BASE + 0x24U)
#define USART_TDR TL_REGISTER(TL_UART_BASE + 0x28U)

/* An LPUART divides 256 times its clock. */
#define BRR_SCALE (TL_UART_IS_LPUART ? 256ULL : 1ULL)

void tl_uart_init(void)
{
    tl_uart_set_up_pins();
    USART_BRR = (uint32_t)((BRR_SCALE * TL_UART_HZ + TL_UART_BAUD / 2U) / TL_UART_BAUD);
    USART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE;
}

void tl_uart_write(uint8_t byte)
{
    while ((USART_ISR & USART_ISR_TXE) == 0) {
    }
    USART_TDR = byte;
}

int32_t tl_uart_read(void)
{
    const uint32_t status = USART_ISR;
    if ((status & USART_ISR_ORE) != 0) {
        USART_ICR = USART_ISR_ORE; /* a byte is lost; whoever reads finds out by its checksum */
    }
    return (status & USART_ISR_RXNE) != 0 ? (int32_t)(USART_RDR & 0xFFU) : -1;
}

void tl_uart_flush(void)
{
    while ((USART_ISR & USART_ISR_TC) == 0) {
    }
}
