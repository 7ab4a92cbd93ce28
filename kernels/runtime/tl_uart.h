/* SPDX-License-Identifier: MIT
 * Polled; one driver file per kind of UART, chosen by the board description. */
#ifndef TL_UART_H
#define TL_UART_H

#include "tl_runtime.h"

#define TL_UART_BAUD 115200U

/** 8N1 at TL_UART_BAUD, transmitter and receiver on. */
void tl_uart_init(void);

/** Waits for room, then sends one byte. */
void tl_uart_write(uint8_t byte);

/** The next byte received, or -1. To be asked at least once per character time. */
int32_t tl_uart_read(void);

/** Waits until the last byte is on the wire. */
void tl_uart_flush(void);

#endif
