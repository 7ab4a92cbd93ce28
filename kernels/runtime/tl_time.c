/* SPDX-License-Identifier: MIT
 * Refer header file for details. */
#include "tl_time.h"

#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)

#define SYST_CSR TL_REGISTER(0xE000E010U)
#define SYST_CSR_ENABLE_TICKINT_CORE 7U
#define SYST_RVR TL_REGISTER(0xE000E014U)
#define SYST_CVR TL_REGISTER(0xE000E018U)
#define RELOAD 0x00FFFFFFU

static volatile uint32_t wraps;

void SysTick_Handler(void);

void SysTick_Handler(void)
{
    wraps = wraps + 1U;
}

void tl_time_init(void)
{
    wraps = 0;
    SYST_RVR = RELOAD;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE_TICKINT_CORE;
}

uint64_t tl_time_cycles(void)
{
    uint32_t before;
    uint32_t down;
    do {
        before = wraps;
        down = SYST_CVR;
    } while (before != wraps);
    return (uint64_t)before * (RELOAD + 1U) + (RELOAD - down);
}

#else

static uint32_t last;
static uint64_t total;

void tl_time_init(void)
{
    tl_cycles_init();
    last = tl_cycles();
    total = 0;
}

uint64_t tl_time_cycles(void)
{
    const uint32_t now = tl_cycles();
    total += now - last;
    last = now;
    return total;
}

#endif
