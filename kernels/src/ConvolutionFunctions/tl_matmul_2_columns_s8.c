/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h. Eight accumulators (2 columns x 4 channels) stay in registers; per pair of elements there are 4 loads in a run,
 * 2 SXTB16 and 8 SMLAD for 16 multiplications. Names: even/odd channels of the block are e, o; column 0 and 1; pairs of channels a, b. */
#include "tl_convolution.h"
#include "tl_support.h"

/* The results of two channels, given sum_0 and 256 * sum_1 + sum_0 of both columns. `count` of them (1 or 2) are stored. */
TL_INLINE void store_two_channels(const int32_t even[2],
                                  const int32_t mixed[2],
                                  const int32_t *constants,
                                  int32_t count,
                                  int8_t *output_0,
                                  int8_t *output_1)
{
    {
        const int32_t multiplier = constants[0], addend = constants[1], shift = constants[2];
        const int32_t value_0 = tl_rescale_s8(tl_wrap_add(even[0], even[0]), multiplier, addend, shift);
        const int32_t value_1 = tl_rescale_s8(tl_wrap_add(even[1], even[1]), multiplier, addend, shift);
        output_1[0] = (int8_t)value_1;
        output_0[0] = (int8_t)value_0;
    }
    if (count > 1) {
        const int32_t multiplier = constants[3], addend = constants[4], shift = constants[5];
        /* The difference is 256 * sum_1 exactly, so a shift by 7 leaves twice the sum. */
        const int32_t value_0 = tl_rescale_s8(tl_wrap_sub(mixed[0], even[0]) >> 7, multiplier, addend, shift);
        const int32_t value_1 = tl_rescale_s8(tl_wrap_sub(mixed[1], even[1]) >> 7, multiplier, addend, shift);
        output_1[1] = (int8_t)value_1;
        output_0[1] = (int8_t)value_0;
    }
}

#if defined(TL_USE_DSP)

#if defined(TL_DSP_ASM) && defined(__OPTIMIZE__)
/* One pair of elements: loads in a run (pipelined to one cycle each after the first), then every multiplication that needs the mixed
 * weights before they are widened in place. Written out because GCC splits the run and spills accumulators. */
#define MULTIPLY_PAIR                                                                         \
    "smlad %[ma0], %[wa], %[c0], %[ma0]\n smlad %[ma1], %[wa], %[c1], %[ma1]\n"               \
    "sxtb16 %[wa], %[wa]\n"                                                                   \
    "smlad %[mb0], %[wb], %[c0], %[mb0]\n smlad %[mb1], %[wb], %[c1], %[mb1]\n"               \
    "sxtb16 %[wb], %[wb]\n"                                                                   \
    "smlad %[ea0], %[wa], %[c0], %[ea0]\n smlad %[ea1], %[wa], %[c1], %[ea1]\n"               \
    "smlad %[eb0], %[wb], %[c0], %[eb0]\n smlad %[eb1], %[wb], %[c1], %[eb1]\n"
#define LOAD_PAIR(offset)                                                                     \
    "ldr %[c0], [%[columns], #" #offset "]\n ldr %[c1], [%[columns], #" #offset "+4]\n"       \
    "ldr %[wa], [%[weights], #" #offset "]\n ldr %[wb], [%[weights], #" #offset "+4]\n"
#define LOAD_FIRST_PAIR_AND_ADVANCE                                                           \
    "ldr %[c0], [%[columns]], #32\n ldr %[wa], [%[weights]], #32\n"                           \
    "ldr %[c1], [%[columns], #-28]\n ldr %[wb], [%[weights], #-28]\n"
#endif

/* One block of 4 channels; returns the weights of the next one. */
TL_INLINE const int8_t *multiply_block(const int16_t *columns, int32_t pairs, const int8_t *weights, int32_t even[4], int32_t mixed[4])
{
    int32_t ea0 = even[0], ea1 = ea0, eb0 = even[2], eb1 = eb0;
    int32_t ma0 = mixed[0], ma1 = ma0, mb0 = mixed[2], mb1 = mb0;
#if defined(TL_DSP_ASM) && defined(__OPTIMIZE__)
    if (pairs >= 4) {
        const int8_t *const end = weights + 8 * (pairs & ~3);
        uint32_t c0, c1, wa, wb;
        __asm__ volatile("1:\n" LOAD_FIRST_PAIR_AND_ADVANCE MULTIPLY_PAIR                     /* pairs 0..3 of this turn */
                         LOAD_PAIR(-24) MULTIPLY_PAIR LOAD_PAIR(-16) MULTIPLY_PAIR LOAD_PAIR(-8) MULTIPLY_PAIR
                         "ldr %[c0], %[end]\n cmp %[weights], %[c0]\n bne 1b\n"
                         : [ea0] "+r"(ea0), [ea1] "+r"(ea1), [eb0] "+r"(eb0), [eb1] "+r"(eb1), [ma0] "+r"(ma0), [ma1] "+r"(ma1),
                           [mb0] "+r"(mb0), [mb1] "+r"(mb1), [columns] "+r"(columns), [weights] "+r"(weights), [c0] "=&r"(c0),
                           [c1] "=&r"(c1), [wa] "=&r"(wa), [wb] "=&r"(wb)
                         : [end] "m"(end)
                         : "cc", "memory");
        pairs &= 3;
    }
#endif
    for (; pairs > 0; pairs--) {
        const uint32_t c0 = tl_load_word(columns);
        const uint32_t c1 = tl_load_word(columns + 2);
        uint32_t wa = tl_load_word(weights);
        uint32_t wb = tl_load_word(weights + 4);
        columns += 4;
        weights += 8;
        ma0 = tl_smlad(wa, c0, ma0);
        ma1 = tl_smlad(wa, c1, ma1);
        mb0 = tl_smlad(wb, c0, mb0);
        mb1 = tl_smlad(wb, c1, mb1);
        wa = tl_sxtb16(wa);
        wb = tl_sxtb16(wb);
        ea0 = tl_smlad(wa, c0, ea0);
        ea1 = tl_smlad(wa, c1, ea1);
        eb0 = tl_smlad(wb, c0, eb0);
        eb1 = tl_smlad(wb, c1, eb1);
    }
    even[0] = ea0, even[1] = ea1, even[2] = eb0, even[3] = eb1;
    mixed[0] = ma0, mixed[1] = ma1, mixed[2] = mb0, mixed[3] = mb1;
    return weights;
}

#else

/* The same sums in plain C: A = 256 * w[1] + w[0] is taken apart again. */
TL_INLINE const int8_t *multiply_block(const int16_t *columns, int32_t pairs, const int8_t *weights, int32_t even[4], int32_t mixed[4])
{
    even[1] = even[0], even[3] = even[2];
    mixed[1] = mixed[0], mixed[3] = mixed[2];
    for (int32_t k = 0; k < 2 * pairs; k++) {
        const int16_t *column = columns + 4 * (k >> 1) + (k & 1);
        const int8_t *weight = weights + 8 * (k >> 1) + 2 * (k & 1);
        for (int32_t i = 0; i < 4; i++) {
            const int32_t value = column[2 * (i & 1)];
            const int8_t *both = weight + 4 * (i >> 1);
            even[i] = tl_wrap_add(even[i], both[0] * value);
            mixed[i] = tl_wrap_add(mixed[i], (256 * both[1] + (uint8_t)both[0]) * value);
        }
    }
    return weights + 8 * pairs;
}

#endif

void tl_matmul_2_columns_s8(const int16_t *columns,
                            int32_t pairs,
                            const int8_t *weights,
                            const int32_t *constants,
                            int32_t channels,
                            int8_t *output_0,
                            int8_t *output_1)
{
    for (; channels > 0; channels -= 4) {
        int32_t even[4] = {constants[0], 0, constants[2], 0};
        int32_t mixed[4] = {constants[1], 0, constants[3], 0};
        weights = multiply_block(columns, pairs, weights, even, mixed);
        store_two_channels(even, mixed, constants + 4, channels, output_0, output_1);
        if (channels > 2) {
            store_two_channels(even + 2, mixed + 2, constants + 10, channels - 2, output_0 + 2, output_1 + 2);
        }
        constants += 16;
        output_0 += 4;
        output_1 += 4;
    }
}
