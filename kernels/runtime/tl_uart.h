/* SPDX-License-Identifier: MIT
 * Polled transmission; one driver file per kind of UART, chosen by the board description. */
#ifndef TL_UART_H
#define TL_UART_H

#include "tl_runtime.h"

#define TL_UART_BAUD 115200U

/** 8N1 at TL_UART_BAUD, transmitter on. */
void tl_uart_init(void);

/** Waits for room, then sends one byte. */
void tl_uart_write(uint8_t byte);

#endif
