/* SPDX-License-Identifier: MIT
 * Refer header file for details. */
#include "tl_print.h"

void tl_print(const char *text)
{
    for (; *text != '\0'; ++text) {
        tl_uart_write((uint8_t)*text);
    }
}

void tl_print_int(int32_t value)
{
    char digits[12]; /* -2147483648 and the terminator */
    char *at = &digits[sizeof(digits) - 1];
    uint32_t rest = value < 0 ? 0U - (uint32_t)value : (uint32_t)value;

    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10U);
        rest /= 10U;
    } while (rest > 0);
    if (value < 0) {
        *--at = '-';
    }
    tl_print(at);
}

void tl_print_hex(uint32_t value)
{
    tl_print("0x");
    for (int32_t shift = 28; shift >= 0; shift -= 4) {
        tl_uart_write((uint8_t)("0123456789abcdef"[(value >> shift) & 0xFU]));
    }
}
