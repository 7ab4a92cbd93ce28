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

/** Cortex-M7: both caches of the core, invalidated and on (DDI 0489F 5, PM0253 4.8.9). */
static inline void tl_caches_init(void)
{
    const uint32_t size = TL_REGISTER(0xE000ED80U); /* CCSIDR: of the data cache after reset */
    const uint32_t sets = (size >> 13) & 0x7FFFU;
    const uint32_t ways = (size >> 3) & 0x3FFU;

    TL_REGISTER(0xE000EF50U) = 0; /* ICIALLU */
    for (uint32_t set = 0; set <= sets; ++set) {
        for (uint32_t way = 0; way <= ways; ++way) {
            TL_REGISTER(0xE000EF60U) = (set << 5) | (way << 30); /* DCISW: 4 ways, lines of 32 bytes */
        }
    }
    __asm volatile("dsb\n\tisb" ::: "memory");
    TL_REGISTER(0xE000ED14U) |= (1U << 16) | (1U << 17); /* CCR: DC, IC */
    __asm volatile("dsb\n\tisb" ::: "memory");
}

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

/** Starts the board anew: AIRCR.SYSRESETREQ (DDI 0403E B3.2.6). */
__attribute__((noreturn)) static inline void tl_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    TL_REGISTER(0xE000ED0CU) = 0x05FA0004U;
    for (;;) {
    }
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
