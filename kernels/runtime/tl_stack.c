/* SPDX-License-Identifier: MIT
 * How deep the stack went. Refer to tl_harness.h. */
#include "tl_harness.h"

#define PATTERN 0xA5A5A5A5U
/* Left unpainted below the caller's stack pointer: the painting loop itself may use it. */
#define MARGIN_WORDS 16

/* Defined by the linker script. */
extern uint32_t __stack_limit[], __stack_top[];

/* The loop must not become a call of memset, whose frame it would paint over. */
__attribute__((noinline, optimize("no-tree-loop-distribute-patterns"))) void tl_harness_paint_stack(void)
{
    uint32_t *sp;
    __asm volatile("mov %0, sp" : "=r"(sp));
    for (volatile uint32_t *word = __stack_limit; word < sp - MARGIN_WORDS; ++word) {
        *word = PATTERN;
    }
}

uint32_t tl_harness_stack_bytes(void)
{
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)__stack_limit);
}

uint32_t tl_harness_stack_used(void)
{
    const volatile uint32_t *word = __stack_limit;
    while (word < __stack_top && *word == PATTERN) {
        ++word;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
