/* SPDX-License-Identifier: MIT
 * What all STM32 families do to connect a UART: enable bits, then pins to their alternate functions (RM0432 8.4,
 * RM0090 8.4). */
#ifndef TL_UART_STM32_PINS_H
#define TL_UART_STM32_PINS_H

#include "tl_uart.h"

typedef struct {
    uint32_t address;
    uint32_t bit;
} tl_register_bit;

typedef struct {
    uint32_t port;
    uint32_t pin;
    uint32_t function;
} tl_pin;

static inline void tl_uart_set_up_pins(void)
{
    static const tl_register_bit enables[] = {TL_UART_ENABLES};
    static const tl_pin pins[] = {TL_UART_PINS};

    for (size_t i = 0; i < sizeof(enables) / sizeof(enables[0]); ++i) {
        TL_REGISTER(enables[i].address) |= 1U << enables[i].bit;
        (void)TL_REGISTER(enables[i].address); /* the peripheral answers two cycles after its clock is enabled */
    }
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); ++i) {
        const uint32_t mode_shift = 2U * pins[i].pin;
        const uint32_t function_shift = 4U * (pins[i].pin % 8U);
        const uint32_t afr = pins[i].port + 0x20U + 4U * (pins[i].pin / 8U);
        TL_REGISTER(afr) = (TL_REGISTER(afr) & ~(0xFU << function_shift)) | (pins[i].function << function_shift);
        /* MODER: alternate function */
        TL_REGISTER(pins[i].port) = (TL_REGISTER(pins[i].port) & ~(3U << mode_shift)) | (2U << mode_shift);
    }
}

#endif
