/* SPDX-License-Identifier: MIT
 * Refer to tl_audio.h. */
#include "tl_audio.h"

int32_t tl_log2_q10(uint64_t value)
{
    int32_t exponent = 0;
    while (value >= (uint64_t)1 << 32) {
        value >>= 1;
        ++exponent;
    }
    uint32_t mantissa = (uint32_t)value;
    exponent += 31;
    while (mantissa < 0x80000000U) {
        mantissa <<= 1;
        --exponent;
    }
    /* Squaring a number of [1, 2) doubles its logarithm: each time that carries over 2 is a bit of it. */
    uint32_t fraction = 0;
    mantissa >>= 16;
    for (int32_t bit = 0; bit < 10; ++bit) {
        mantissa = mantissa * mantissa >> 15;
        fraction <<= 1;
        if (mantissa >= 1U << 16) {
            mantissa >>= 1;
            fraction |= 1U;
        }
    }
    return exponent * 1024 + (int32_t)fraction;
}
