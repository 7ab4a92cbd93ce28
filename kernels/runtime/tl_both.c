/* SPDX-License-Identifier: MIT
 * Text and frames on one line: a zero byte begins a frame, which ends with the next zero. */
#include "tl_frame.h"
#include "tl_harness.h"

static uint32_t frame_bytes; /* 0: text */

void tl_both_receive(uint8_t byte)
{
    if (byte == 0) {
        tl_device_receive(0);
        /* Two zeros in a row: the first ended what was no frame, the second begins one. */
        frame_bytes = frame_bytes > 1U ? 0 : 1U;
    } else if (frame_bytes == 0) {
        tl_mlperf_receive(byte);
    } else {
        tl_device_receive(byte);
        /* Longer than any frame: a zero in the noise, and text behind it. */
        frame_bytes = frame_bytes > 2U * TL_FRAME_BYTES_MAX ? 0 : frame_bytes + 1U;
    }
}

void tl_both_init(const tl_harness *harness)
{
    tl_device_start(harness);
    tl_mlperf_init(harness);
}
