/* SPDX-License-Identifier: MIT
 * Text on the board's UART without the C library's formatted output, which would weigh more than most models' code. */
#ifndef TL_PRINT_H
#define TL_PRINT_H

#include "tl_uart.h"

static inline void tl_print_init(void)
{
    tl_uart_init();
}

/** Text as it is; "\n" is sent alone. */
void tl_print(const char *text);

/** Decimal, with a minus sign where needed. */
void tl_print_int(int32_t value);

/** 0x and eight hex digits. */
void tl_print_hex(uint32_t value);

#endif
