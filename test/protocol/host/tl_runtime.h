/* SPDX-License-Identifier: MIT
 * In place of kernels/runtime/tl_runtime.h: the protocols on a computer, under its sanitizers. */
#ifndef TL_RUNTIME_H
#define TL_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TL_CLOCK_HZ 1000000U
#define TL_VISIBLE

volatile uint32_t *host_register(uint32_t address);
#define TL_REGISTER(address) (*host_register(address))

static inline void tl_cycles_init(void)
{
}

uint32_t tl_cycles(void);
__attribute__((noreturn)) void tl_reset(void);

#endif
