/* SPDX-License-Identifier: MIT
 * UART of the RP2040, a PL011 (data sheet 4.2; 2.14 resets, 2.19 pin functions). board.h gives the pins; the ports are
 * IO_BANK0. */
#include "tl_uart.h"

typedef struct {
    uint32_t port;
    uint32_t pin;
    uint32_t function;
} tl_pin;

#define RESETS_RESET_CLEAR TL_REGISTER(0x4000F000U)
#define RESETS_RESET_DONE TL_REGISTER(0x4000C008U)
#define RESETS_IO_BANK0 (1U << 5)
#define RESETS_PADS_BANK0 (1U << 8)
#define RESETS_UART0 (1U << 22)
#define RESETS_NEEDED (RESETS_IO_BANK0 | RESETS_PADS_BANK0 | RESETS_UART0)
#define IO_BANK0_CTRL(port, pin) TL_REGISTER((port) + 8U * (pin) + 4U)
#define UARTDR TL_REGISTER(TL_UART_BASE + 0x00U)
#define UARTFR TL_REGISTER(TL_UART_BASE + 0x18U)
#define UARTFR_BUSY (1U << 3)
#define UARTFR_RXFE (1U << 4)
#define UARTFR_TXFF (1U << 5)
#define UARTIBRD TL_REGISTER(TL_UART_BASE + 0x24U)
#define UARTFBRD TL_REGISTER(TL_UART_BASE + 0x28U)
#define UARTLCR_H TL_REGISTER(TL_UART_BASE + 0x2CU)
#define UARTLCR_H_8BIT_FIFO 0x70U
#define UARTCR TL_REGISTER(TL_UART_BASE + 0x30U)
#define UARTCR_ON 0x301U /* UARTEN, TXE, RXE */

void tl_uart_init(void)
{
    static const tl_pin pins[] = {TL_UART_PINS};
    /* 64 times the divider: clock / (16 * baud), with 6 fractional bits, rounded */
    const uint32_t divider = (8U * TL_UART_HZ / TL_UART_BAUD + 1U) / 2U;

    RESETS_RESET_CLEAR = RESETS_NEEDED;
    while ((RESETS_RESET_DONE & RESETS_NEEDED) != RESETS_NEEDED) {
    }
    UARTIBRD = divider >> 6;
    UARTFBRD = divider & 0x3FU;
    UARTLCR_H = UARTLCR_H_8BIT_FIFO;
    UARTCR = UARTCR_ON;
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); ++i) {
        IO_BANK0_CTRL(pins[i].port, pins[i].pin) = pins[i].function;
    }
}

void tl_uart_write(uint8_t byte)
{
    while ((UARTFR & UARTFR_TXFF) != 0) {
    }
    UARTDR = byte;
}

int32_t tl_uart_read(void)
{
    if ((UARTFR & UARTFR_RXFE) != 0) {
        return -1;
    }
    return (int32_t)(UARTDR & 0xFFU);
}

void tl_uart_flush(void)
{
    while ((UARTFR & UARTFR_BUSY) != 0) {
    }
}
