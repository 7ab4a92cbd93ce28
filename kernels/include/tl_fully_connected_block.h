/* SPDX-License-Identifier: MIT
 * One row of inputs times one block of 4 units: the part both packed fully connected kernels share. Per four inputs
 * there are 5 loads in a run, 6 SXTB16 and 8 SMLAD for 16 multiplications. */
#ifndef TL_FULLY_CONNECTED_BLOCK_H
#define TL_FULLY_CONNECTED_BLOCK_H

#include "tl_support.h"

/** sum_0, 256 * sum_1 + sum_0 and the same of units 2 and 3. */
typedef struct {
    int32_t even_a;
    int32_t mixed_a;
    int32_t even_b;
    int32_t mixed_b;
} tl_block_sums;

#if defined(TL_USE_DSP)

/** The inputs of one word (the last may hold fewer than 4, the rest anything: their weights are 0). */
TL_INLINE void tl_multiply_quad(uint32_t word, const int8_t *weights, tl_block_sums *sums)
{
    const uint32_t outer = tl_sxtb16(word);
    const uint32_t inner = tl_sxtb16_ror8(word);
    const uint32_t a0 = tl_load_word(weights);
    const uint32_t b0 = tl_load_word(weights + 4);
    const uint32_t a1 = tl_load_word(weights + 8);
    const uint32_t b1 = tl_load_word(weights + 12);
    sums->mixed_a = tl_smlad(a1, inner, tl_smlad(a0, outer, sums->mixed_a));
    sums->mixed_b = tl_smlad(b1, inner, tl_smlad(b0, outer, sums->mixed_b));
    sums->even_a = tl_smlad(tl_sxtb16(a1), inner, tl_smlad(tl_sxtb16(a0), outer, sums->even_a));
    sums->even_b = tl_smlad(tl_sxtb16(b1), inner, tl_smlad(tl_sxtb16(b0), outer, sums->even_b));
}

#if defined(TL_ASM_LOOPS)
/* clang-format off */
/* tl_multiply_quad with its loads in one run, so that all but the first take one cycle. */
#define TL_MULTIPLY_QUAD                                                                                      \
    "sxtb16 %[outer], %[inner]\n sxtb16 %[inner], %[inner], ror #8\n"                                         \
    "smlad %[mixed_a], %[a0], %[outer], %[mixed_a]\n sxtb16 %[a0], %[a0]\n"                                   \
    "smlad %[mixed_b], %[b0], %[outer], %[mixed_b]\n sxtb16 %[b0], %[b0]\n"                                   \
    "smlad %[mixed_a], %[a1], %[inner], %[mixed_a]\n sxtb16 %[a1], %[a1]\n"                                   \
    "smlad %[mixed_b], %[b1], %[inner], %[mixed_b]\n sxtb16 %[b1], %[b1]\n"                                   \
    "smlad %[even_a], %[a0], %[outer], %[even_a]\n smlad %[even_b], %[b0], %[outer], %[even_b]\n"             \
    "smlad %[even_a], %[a1], %[inner], %[even_a]\n smlad %[even_b], %[b1], %[inner], %[even_b]\n"
#define TL_LOAD_QUAD(input, weights)                                                                          \
    "ldr %[inner], [%[input], #" #input "]\n ldr %[a0], [%[weights], #" #weights "]\n"                        \
    "ldr %[b0], [%[weights], #" #weights "+4]\n ldr %[a1], [%[weights], #" #weights "+8]\n"                   \
    "ldr %[b1], [%[weights], #" #weights "+12]\n"
#define TL_LOAD_FIRST_QUAD_AND_ADVANCE                                                                        \
    "ldr %[inner], [%[input]], #16\n ldr %[a0], [%[weights]], #64\n"                                          \
    "ldr %[b0], [%[weights], #-60]\n ldr %[a1], [%[weights], #-56]\n ldr %[b1], [%[weights], #-52]\n"

/** 16 inputs per turn; count is a multiple of 16, > 0. */
TL_INLINE void tl_multiply_16_at_a_time(const int8_t **input, int32_t count, const int8_t **weights, tl_block_sums *sums)
{
    const int8_t *in = *input;
    const int8_t *w = *weights;
    const int8_t *const end = in + count;
    uint32_t outer, inner, a0, b0, a1, b1;
    __asm__ volatile(".p2align 2\n 1:\n" TL_LOAD_FIRST_QUAD_AND_ADVANCE TL_MULTIPLY_QUAD TL_LOAD_QUAD(-12, -48) TL_MULTIPLY_QUAD
                     TL_LOAD_QUAD(-8, -32) TL_MULTIPLY_QUAD TL_LOAD_QUAD(-4, -16) TL_MULTIPLY_QUAD
                     "cmp %[input], %[end]\n bne 1b\n"
                     : [mixed_a] "+r"(sums->mixed_a), [even_a] "+r"(sums->even_a), [mixed_b] "+r"(sums->mixed_b),
                       [even_b] "+r"(sums->even_b), [input] "+r"(in), [weights] "+r"(w), [outer] "=&r"(outer), [inner] "=&r"(inner),
                       [a0] "=&r"(a0), [b0] "=&r"(b0), [a1] "=&r"(a1), [b1] "=&r"(b1)
                     : [end] "r"(end)
                     : "cc", "memory");
    *input = in;
    *weights = w;
}
/* clang-format on */
#endif

/** Twice the four sums; bias: four packed biases. */
TL_INLINE const int8_t *tl_fully_connected_block(
    const int8_t *input, int32_t count, const int8_t *weights, const int32_t *bias, int32_t twice[4])
{
    tl_block_sums sums = {bias[0], bias[1], bias[2], bias[3]};
#if defined(TL_ASM_LOOPS)
    if (count >= 16) {
        tl_multiply_16_at_a_time(&input, count & ~15, &weights, &sums);
        count &= 15;
    }
#endif
    for (; count >= 4; count -= 4) {
        tl_multiply_quad(tl_load_word(input), weights, &sums);
        input += 4;
        weights += 16;
    }
    if (count > 0) {
        /* A whole word would reach past the input. */
        const uint32_t second = count > 1 ? (uint32_t)(uint8_t)input[1] << 8 : 0;
        const uint32_t third = count > 2 ? (uint32_t)(uint8_t)input[2] << 16 : 0;
        tl_multiply_quad((uint8_t)input[0] | second | third, weights, &sums);
        weights += 16;
    }
    /* The difference is 256 * sum_1 exactly, so a shift by 7 leaves twice the sum. */
    twice[0] = tl_wrap_add(sums.even_a, sums.even_a);
    twice[1] = tl_wrap_sub(sums.mixed_a, sums.even_a) >> 7;
    twice[2] = tl_wrap_add(sums.even_b, sums.even_b);
    twice[3] = tl_wrap_sub(sums.mixed_b, sums.even_b) >> 7;
    return weights;
}

#else

#if defined(TL_THUMB1_LOOPS)
/* clang-format off */
/* Two inputs: the first one in r5, then the second after `next`. r8 to r11: even and mixed sums of both pairs of units. */
#define TL_MULTIPLY_TWO_INPUTS(next)                                                                              \
    "ldmia r1!, {r3, r4}\n"                                                                                       \
    "sxth r6, r3\n muls r6, r5\n add r9, r6\n sxtb r6, r3\n muls r6, r5\n add r8, r6\n"                           \
    "sxth r6, r4\n muls r6, r5\n add r11, r6\n sxtb r6, r4\n muls r6, r5\n add r10, r6\n" next                     \
    "asrs r3, r3, #16\n sxtb r6, r3\n muls r3, r5\n add r9, r3\n muls r6, r5\n add r8, r6\n"                       \
    "asrs r4, r4, #16\n sxtb r6, r4\n muls r4, r5\n add r11, r4\n muls r6, r5\n add r10, r6\n"

/* Adds `quads` (> 0) times four inputs to {even, mixed} of two pairs of units; both pointers are 4-byte aligned. */
static TL_NOINLINE void tl_multiply_quads(const int8_t *input, int32_t quads, const int8_t *weights, int32_t sums[4])
{
    register const int8_t *in __asm__("r0") = input;
    register const int8_t *weight __asm__("r1") = weights;
    register int32_t even_a __asm__("r8") = sums[0];
    register int32_t mixed_a __asm__("r9") = sums[1];
    register int32_t even_b __asm__("r10") = sums[2];
    register int32_t mixed_b __asm__("r11") = sums[3];
    register const int8_t *end __asm__("r12") = input + 4 * quads;
    __asm__ volatile(".syntax unified\n 1:\n ldmia r0!, {r2}\n sxtb r5, r2\n"
                     TL_MULTIPLY_TWO_INPUTS("lsls r5, r2, #8\n asrs r5, r5, #24\n") "lsls r5, r2, #16\n asrs r5, r5, #24\n"
                     TL_MULTIPLY_TWO_INPUTS("asrs r5, r2, #24\n") "cmp r0, r12\n bne 1b\n"
                     : "+l"(in), "+l"(weight), "+h"(even_a), "+h"(mixed_a), "+h"(even_b), "+h"(mixed_b)
                     : "h"(end)
                     : "r2", "r3", "r4", "r5", "r6", "cc", "memory");
    sums[0] = even_a, sums[1] = mixed_a, sums[2] = even_b, sums[3] = mixed_b;
}
/* clang-format on */
#endif

TL_INLINE void tl_multiply_input(int32_t input, const uint8_t *pair, tl_block_sums *sums)
{
    const int32_t a = (int16_t)(uint16_t)(pair[0] | (uint32_t)pair[1] << 8);
    const int32_t b = (int16_t)(uint16_t)(pair[4] | (uint32_t)pair[5] << 8);
    sums->even_a = tl_wrap_add(sums->even_a, (int8_t)a * input);
    sums->mixed_a = tl_wrap_add(sums->mixed_a, a * input);
    sums->even_b = tl_wrap_add(sums->even_b, (int8_t)b * input);
    sums->mixed_b = tl_wrap_add(sums->mixed_b, b * input);
}

/** Twice the four sums in plain C; bias: four packed biases. Byte order of the weights: see tl_convolution.h. */
TL_INLINE const int8_t *tl_fully_connected_block(
    const int8_t *input, int32_t count, const int8_t *weights, const int32_t *bias, int32_t twice[4])
{
    int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
    int32_t k = 0;
#if defined(TL_THUMB1_LOOPS)
    if (count >= 4 && ((uintptr_t)input & 3U) == 0) {
        k = count & ~3;
        tl_multiply_quads(input, k / 4, weights, sums);
    }
#endif
    tl_block_sums units = {sums[0], sums[1], sums[2], sums[3]};
    for (; k + 4 <= count; k += 4) {
        /* Inputs 0, 1, 2, 3 of a quad stand at places 0, 2, 1, 3. */
        const uint8_t *quad = (const uint8_t *)weights + 4 * k;
        tl_multiply_input(input[k], quad, &units);
        tl_multiply_input(input[k + 2], quad + 2, &units);
        tl_multiply_input(input[k + 1], quad + 8, &units);
        tl_multiply_input(input[k + 3], quad + 10, &units);
    }
    for (int32_t i = 0; k + i < count; i++) {
        const int32_t place = ((i & 1) << 3) | (i & 2);
        tl_multiply_input(input[k + i], (const uint8_t *)weights + 4 * k + place, &units);
    }
    twice[0] = tl_wrap_add(units.even_a, units.even_a);
    twice[1] = tl_wrap_sub(units.mixed_a, units.even_a) >> 7;
    twice[2] = tl_wrap_add(units.even_b, units.even_b);
    twice[3] = tl_wrap_sub(units.mixed_b, units.even_b) >> 7;
    return weights + 16 * ((count + 3) / 4);
}

#endif
#endif
