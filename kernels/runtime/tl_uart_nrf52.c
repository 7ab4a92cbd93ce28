/* SPDX-License-Identifier: MIT
 * UART of the nRF52 without DMA (nRF52840 PS 6.33). A pin is selected by port * 32 + pin; board.h gives the port's
 * base. */
#include "tl_uart.h"

typedef struct {
    uint32_t port;
    uint32_t pin;
    uint32_t function;
} tl_pin;

#define UART_TASKS_STARTRX TL_REGISTER(TL_UART_BASE + 0x000U)
#define UART_TASKS_STARTTX TL_REGISTER(TL_UART_BASE + 0x008U)
#define UART_EVENTS_RXDRDY TL_REGISTER(TL_UART_BASE + 0x108U)
#define UART_EVENTS_TXDRDY TL_REGISTER(TL_UART_BASE + 0x11CU)
#define UART_ENABLE TL_REGISTER(TL_UART_BASE + 0x500U)
#define UART_ENABLE_UART 4U
#define UART_PSELTXD TL_REGISTER(TL_UART_BASE + 0x50CU)
#define UART_PSELRXD TL_REGISTER(TL_UART_BASE + 0x514U)
#define UART_RXD TL_REGISTER(TL_UART_BASE + 0x518U)
#define UART_TXD TL_REGISTER(TL_UART_BASE + 0x51CU)
#define UART_BAUDRATE TL_REGISTER(TL_UART_BASE + 0x524U)
#define UART_BAUDRATE_115200 0x01D7E000U
#define P0_BASE 0x50000000U
#define GPIO_OUTSET(port) TL_REGISTER((port) + 0x508U)
#define GPIO_DIRSET(port) TL_REGISTER((port) + 0x518U)

static uint32_t selector(const tl_pin *pin)
{
    return (pin->port == P0_BASE ? 0U : 32U) + pin->pin;
}

void tl_uart_init(void)
{
    static const tl_pin pins[] = {TL_UART_PINS};

    /* High before it is an output: the line is idle. */
    GPIO_OUTSET(pins[0].port) = 1U << pins[0].pin;
    GPIO_DIRSET(pins[0].port) = 1U << pins[0].pin;
    UART_PSELTXD = selector(&pins[0]);
    UART_PSELRXD = selector(&pins[1]);
    UART_BAUDRATE = UART_BAUDRATE_115200;
    UART_ENABLE = UART_ENABLE_UART;
    UART_TASKS_STARTTX = 1;
    UART_TASKS_STARTRX = 1;
}

void tl_uart_write(uint8_t byte)
{
    UART_EVENTS_TXDRDY = 0;
    UART_TXD = byte;
    while (UART_EVENTS_TXDRDY == 0) {
    }
}

int32_t tl_uart_read(void)
{
    if (UART_EVENTS_RXDRDY == 0) {
        return -1;
    }
    /* Before the read, which raises it again when another byte waits. */
    UART_EVENTS_RXDRDY = 0;
    return (int32_t)(UART_RXD & 0xFFU);
}

/* TXDRDY, which every write waits for, comes when the byte has been sent. */
void tl_uart_flush(void)
{
}
