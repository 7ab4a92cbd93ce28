/* SPDX-License-Identifier: MIT
 * nRF52: the core always runs at 64 MHz; the crystal makes the UART's rate exact (nRF52840 PS 5.4), the cache hides the
 * flash's wait states (4.3). */
#include "tl_runtime.h"

#define CLOCK_TASKS_HFCLKSTART TL_REGISTER(0x40000000U)
#define CLOCK_EVENTS_HFCLKSTARTED TL_REGISTER(0x40000100U)
#define NVMC_ICACHECNF TL_REGISTER(0x4001E540U)
#define NVMC_ICACHECNF_CACHEEN 1U

void tl_clock_init(void)
{
    NVMC_ICACHECNF = NVMC_ICACHECNF_CACHEEN;
    CLOCK_EVENTS_HFCLKSTARTED = 0;
    CLOCK_TASKS_HFCLKSTART = 1;
    while (CLOCK_EVENTS_HFCLKSTARTED == 0) {
    }
}
