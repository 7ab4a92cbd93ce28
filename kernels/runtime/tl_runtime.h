/* SPDX-License-Identifier: MIT
 * What start-up code and main.c share. Core registers: Arm DDI 0403E (Armv7-M) C1.6.5 DEMCR, C1.8 DWT, B3.2 SCB. */
#ifndef TL_RUNTIME_H
#define TL_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "board.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_REGISTER(address) (*(volatile uint32_t *)(address))

#define DEMCR TL_REGISTER(0xE000EDFCU)
#define DEMCR_TRCENA (1U << 24)
#define DWT_CTRL TL_REGISTER(0xE0001000U)
#define DWT_CTRL_CYCCNTENA 1U
#define DWT_CYCCNT TL_REGISTER(0xE0001004U)

/* A function that debuggers and emulators stop at: never inlined, never removed by the compiler. */
#if defined(__clang__)
#define TL_VISIBLE __attribute__((noinline, used))
#else
#define TL_VISIBLE __attribute__((noipa, used))
#endif

/** Brings the core to TL_CLOCK_HZ; called by start-up on boards with a clock set-up. */
void tl_clock_init(void);

/** Empty; reached when the model is up. Defined by main.c. */
void tl_ready(void);

static inline void tl_cycles_init(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
}

/** Core clock cycles modulo 2^32. */
static inline uint32_t tl_cycles(void)
{
    return DWT_CYCCNT;
}

static inline void tl_wait_for_interrupt(void)
{
    __asm volatile("wfi" ::: "memory");
}

/** Stops for good, in the debugger if there is one. */
__attribute__((noreturn)) static inline void tl_halt(void)
{
    for (;;) {
        __asm volatile("bkpt #0");
    }
}

#ifdef __cplusplus
}
#endif
#endif
