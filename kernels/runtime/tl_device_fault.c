/* SPDX-License-Identifier: MIT
 * A fault ends in a frame that tells where (tl_device.c), instead of start-up's halt. */
#include "tl_harness.h"

void HardFault_Handler(void);

/* Instead of start-up's. The frame is passed on; the stack itself begins anew, for an overflow may be the fault. */
__attribute__((naked)) void HardFault_Handler(void)
{
    __asm volatile("mrs r0, msp\n\t"
                   "ldr r1, =__stack_top\n\t"
                   "msr msp, r1\n\t"
                   "ldr r1, =tl_device_report_fault\n\t"
                   "bx r1\n\t"
                   ".ltorg");
}
