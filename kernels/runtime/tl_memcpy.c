/* SPDX-License-Identifier: MIT
 * memcpy for kernels: newlib-nano's copies byte by byte. Unaligned word access is one instruction on Armv7-M
 * (DDI 0403E A3.2.1). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias, aligned(1))) tl_any_word;

/* Without the attribute the compiler would turn these loops into calls of memcpy itself. */
#define TL_KEEP_LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns")))

TL_KEEP_LOOPS void *memcpy(void *restrict destination, const void *restrict source, size_t bytes)
{
    uint8_t *out = (uint8_t *)destination;
    const uint8_t *in = (const uint8_t *)source;

    for (; bytes >= 16; bytes -= 16) {
        const uint32_t a = ((const tl_any_word *)in)[0];
        const uint32_t b = ((const tl_any_word *)in)[1];
        const uint32_t c = ((const tl_any_word *)in)[2];
        const uint32_t d = ((const tl_any_word *)in)[3];
        ((tl_any_word *)out)[0] = a;
        ((tl_any_word *)out)[1] = b;
        ((tl_any_word *)out)[2] = c;
        ((tl_any_word *)out)[3] = d;
        in += 16;
        out += 16;
    }
    for (; bytes >= 4; bytes -= 4) {
        *(tl_any_word *)out = *(const tl_any_word *)in;
        in += 4;
        out += 4;
    }
    for (; bytes > 0; --bytes) {
        *out++ = *in++;
    }
    return destination;
}
