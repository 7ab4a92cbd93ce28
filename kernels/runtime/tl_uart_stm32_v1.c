/* SPDX-License-Identifier: MIT
 * USART of the STM32F4: RM0090 chapter 30 (GPIO: chapter 8). Clock enables, pins and alternate functions are in
 * board.h. */
#include "tl_uart_stm32_pins.h"

#define USART_SR TL_REGISTER(TL_UART_BASE + 0x00U)
#define USART_SR_RXNE (1U << 5)
#define USART_SR_TC (1U << 6)
#define USART_SR_TXE (1U << 7)
#define USART_DR TL_REGISTER(TL_UART_BASE + 0x04U)
#define USART_BRR TL_REGISTER(TL_UART_BASE + 0x08U)
#define USART_CR1 TL_REGISTER(TL_UART_BASE + 0x0CU)
#define USART_CR1_RE (1U << 2)
#define USART_CR1_TE (1U << 3)
#define USART_CR1_UE (1U << 13)

void tl_uart_init(void)
{
    tl_uart_set_up_pins();
    USART_BRR = (TL_UART_HZ + TL_UART_BAUD / 2U) / TL_UART_BAUD;
    USART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE;
}

void tl_uart_write(uint8_t byte)
{
    while ((USART_SR & USART_SR_TXE) == 0) {
    }
    USART_DR = byte;
}

/* Reading the data register after the status clears an overrun, too. */
int32_t tl_uart_read(void)
{
    return (USART_SR & USART_SR_RXNE) != 0 ? (int32_t)(USART_DR & 0xFFU) : -1;
}

void tl_uart_flush(void)
{
    while ((USART_SR & USART_SR_TC) == 0) {
    }
}
