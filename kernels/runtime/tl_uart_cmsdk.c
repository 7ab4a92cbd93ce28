/* SPDX-License-Identifier: MIT
 * APB UART of Arm's Cortex-M System Design Kit: DDI 0479 4.3. */
#include "tl_uart.h"

#define UART_DATA TL_REGISTER(TL_UART_BASE + 0x00U)
#define UART_STATE TL_REGISTER(TL_UART_BASE + 0x04U)
#define UART_STATE_TXBF 1U        /* transmit buffer full */
#define UART_STATE_RXBF (1U << 1) /* receive buffer full */
#define UART_CTRL TL_REGISTER(TL_UART_BASE + 0x08U)
#define UART_CTRL_TXEN 1U
#define UART_CTRL_RXEN (1U << 1)
#define UART_BAUDDIV TL_REGISTER(TL_UART_BASE + 0x10U) /* at least 16 */

void tl_uart_init(void)
{
    UART_BAUDDIV = TL_CLOCK_HZ / TL_UART_BAUD;
    UART_CTRL = UART_CTRL_TXEN | UART_CTRL_RXEN;
}

void tl_uart_write(uint8_t byte)
{
    while ((UART_STATE & UART_STATE_TXBF) != 0) {
    }
    UART_DATA = byte;
}

int32_t tl_uart_read(void)
{
    return (UART_STATE & UART_STATE_RXBF) != 0 ? (int32_t)(UART_DATA & 0xFFU) : -1;
}

/* The buffer is empty a character time before the wire is. */
void tl_uart_flush(void)
{
    while ((UART_STATE & UART_STATE_TXBF) != 0) {
    }
    for (volatile uint32_t turn = 0; turn < 10U * TL_CLOCK_HZ / TL_UART_BAUD / 4U; turn = turn + 1U) {
    }
}
