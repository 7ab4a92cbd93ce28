/* SPDX-License-Identifier: MIT
 * memset for kernels, by words: newlib-nano's goes byte by byte. Unaligned word access: DDI 0403E A3.2.1. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias, aligned(1))) tl_any_word;

/* Without the attribute the compiler would turn these loops into calls of memset itself. */
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memset(void *destination, int value, size_t bytes)
{
    uint8_t *out = (uint8_t *)destination;
    const uint32_t word = (uint32_t)(uint8_t)value * 0x01010101U;

    for (; bytes >= 16; bytes -= 16) {
        ((tl_any_word *)out)[0] = word;
        ((tl_any_word *)out)[1] = word;
        ((tl_any_word *)out)[2] = word;
        ((tl_any_word *)out)[3] = word;
        out += 16;
    }
    for (; bytes > 0; --bytes) {
        *out++ = (uint8_t)value;
    }
    return destination;
}
