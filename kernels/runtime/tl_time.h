/* SPDX-License-Identifier: MIT
 * Core clock cycles since tl_time_init, 64 bits wide: from DWT.CYCCNT (DDI 0403E C1.8.8) where the core has one, else
 * from SysTick (DDI 0419E B3.3), which interrupts once every 2^24 cycles. */
#ifndef TL_TIME_H
#define TL_TIME_H

#include "tl_runtime.h"

void tl_time_init(void);

/** To be called at least once every 2^32 cycles where there is a DWT. */
uint64_t tl_time_cycles(void);

static inline uint64_t tl_time_microseconds(void)
{
    const uint64_t cycles = tl_time_cycles();
    const uint64_t seconds = cycles / TL_CLOCK_HZ;
    return seconds * 1000000U + (cycles % TL_CLOCK_HZ) * 1000000U / TL_CLOCK_HZ;
}

#endif
