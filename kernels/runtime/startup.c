/* SPDX-License-Identifier: MIT
 * Vector table and reset. Arm DDI 0403E B1.5.2 (exception numbers), B3.2.5 VTOR, B3.2.20 CPACR. Only the system
 * exceptions have vectors: this firmware enables no other interrupt. MemManage, BusFault and UsageFault stay disabled,
 * so each escalates to HardFault. */
#include "tl_runtime.h"

#define VTOR TL_REGISTER(0xE000ED08U)
#define CPACR TL_REGISTER(0xE000ED88U)
#define CPACR_CP10_CP11_FULL (0xFU << 20)

/* Defined by the linker script. */
extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_top[];
extern const uint32_t __data_load[];

int main(void);
void Reset_Handler(void);
void HardFault_Handler(void);
void Default_Handler(void);
void SysTick_Handler(void);

typedef void (*tl_vector)(void);

/* The first word is the initial stack pointer, hence a union. */
typedef union {
    uint32_t *stack;
    tl_vector handler;
} tl_vector_entry;

__attribute__((section(".vectors"), used)) static const tl_vector_entry vectors[16] = {
    {.stack = __stack_top},
    {.handler = Reset_Handler},
    {.handler = Default_Handler}, /* NMI */
    {.handler = HardFault_Handler},
    {.handler = HardFault_Handler}, /* MemManage */
    {.handler = HardFault_Handler}, /* BusFault */
    {.handler = HardFault_Handler}, /* UsageFault */
    {.handler = NULL},
    {.handler = NULL},
    {.handler = NULL},
    {.handler = NULL},
    {.handler = Default_Handler}, /* SVCall */
    {.handler = Default_Handler}, /* DebugMonitor */
    {.handler = NULL},
    {.handler = Default_Handler}, /* PendSV */
    {.handler = SysTick_Handler},
};

/* Loops over a few words must not become calls of memcpy and memset: they would be the only ones in many images. */
__attribute__((noreturn, optimize("no-tree-loop-distribute-patterns"))) void Reset_Handler(void)
{
    VTOR = (uint32_t)(uintptr_t)vectors;
#if defined(__ARM_FP)
    CPACR |= CPACR_CP10_CP11_FULL;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *source = __data_load;
    for (uint32_t *word = __data_start; word < __data_end; ++word) {
        *word = *source++;
    }
    for (uint32_t *word = __bss_start; word < __bss_end; ++word) {
        *word = 0;
    }
#if TL_HAS_CLOCK_SETUP
    tl_clock_init();
#endif
    (void)main();
    tl_halt();
}

/* Weak: the device protocol reports faults, and counts time by SysTick on cores without a cycle counter. */
TL_VISIBLE __attribute__((weak)) void HardFault_Handler(void)
{
    tl_halt();
}

TL_VISIBLE void Default_Handler(void)
{
    tl_halt();
}

__attribute__((weak, alias("Default_Handler"))) void SysTick_Handler(void);
