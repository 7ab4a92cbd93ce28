/* SPDX-License-Identifier: MIT
 * The inner loop of the depthwise kernels for any window: the taps of one line, four channels at a time. NHWC holds 4
 * channels of a tap in one word, so SXTB16 widens two at a time and SMLABB/SMLATT multiply them with the weights of the
 * same channels, widened alike. Macros: as inline functions they would leave the compiler no registers. */
#ifndef TL_DEPTHWISE_TAPS_H
#define TL_DEPTHWISE_TAPS_H

#include "tl_support.h"

#if defined(TL_ASM_LOOPS)

/* clang-format off */
/* Everything in 32-bit instructions, so that the aligned loop stays aligned. `add` comes after each widening of values. */
#define TL_TAPS_LOOP(load_weights, add)                                                                  \
    ".p2align 2\n 1:\n ldr.w %[v], [%[values]]\n " load_weights "add.w %[values], %[values], %[step]\n"  \
    "sxtb16 %[even], %[v]\n sxtb16 %[by], %[w]\n" add("%[even]")                                         \
    "smlabb %[s0], %[even], %[by], %[s0]\n smlatt %[s2], %[even], %[by], %[s2]\n"                        \
    "sxtb16 %[v], %[v], ror #8\n sxtb16 %[w], %[w], ror #8\n" add("%[v]")                                \
    "smlabb %[s1], %[v], %[w], %[s1]\n smlatt %[s3], %[v], %[w], %[s3]\n"                                \
    "subs.w %[taps], %[taps], #1\n bne 1b\n"
#define TL_TAPS_PLAIN(x)
#define TL_TAPS_OFFSET(x) "sadd16 " x ", " x ", %[offsets]\n"
#define TL_TAPS_PACKED "ldr.w %[w], [%[weights]], #4\n"
#define TL_TAPS_SPREAD "ldr.w %[w], [%[weights]]\n add.w %[weights], %[weights], %[weight_step]\n"
/* clang-format on */

#endif
#endif
