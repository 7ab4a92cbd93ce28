/* SPDX-License-Identifier: MIT
 * What the Cortex-M0+ of a PSoC 62 runs at the start of flash: it hands the vector table over to the Cortex-M4, starts
 * it and sleeps (architecture TRM 002-24526, CPU subsystem). Armv6-M instructions only, though built with the flags of
 * the other core. */
#include <stdint.h>

#include "board.h"

#define CPUSS_CM4_VECTOR_TABLE_BASE "0x40200200"
#define CPUSS_CM4_PWR_CTL "0x40201200"
#define CM4_PWR_KEY_ENABLED "0x05FA0003"

/* Its stack: the last bytes of RAM, never used. */
#define CM0P_STACK_TOP 0x08100000U

void tl_cm0p_start(void);

__attribute__((section(".boot.text"), naked, used)) void tl_cm0p_start(void)
{
    __asm volatile("ldr r0, =" CPUSS_CM4_VECTOR_TABLE_BASE "\n\t"
                   "ldr r1, =%c0\n\t"
                   "str r1, [r0]\n\t"
                   "ldr r0, =" CPUSS_CM4_PWR_CTL "\n\t"
                   "ldr r1, =" CM4_PWR_KEY_ENABLED "\n\t"
                   "str r1, [r0]\n"
                   "1:\n\t"
                   "wfi\n\t"
                   "b 1b\n\t"
                   ".ltorg\n" ::"i"(TL_VECTOR_TABLE));
}

typedef void (*tl_vector)(void);
typedef union {
    uintptr_t stack;
    tl_vector handler;
} tl_vector_entry;

__attribute__((section(".boot"), used)) static const tl_vector_entry cm0p_vectors[4] = {
    {.stack = CM0P_STACK_TOP},
    {.handler = tl_cm0p_start},
    {.handler = tl_cm0p_start}, /* NMI */
    {.handler = tl_cm0p_start}, /* HardFault */
};
