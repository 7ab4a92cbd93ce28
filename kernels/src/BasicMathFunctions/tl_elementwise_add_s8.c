/* SPDX-License-Identifier: MIT
 * int8 ADD of equal shapes. The DSP path computes four elements per step with the reference's two roundings at both places:
 *  - SaturatingRoundingDoublingHighMul(a, b) = SMMULR(2a, b) while |a| < 2^30: both add half before the shift, ties go up.
 *  - RoundingDivideByPOT(x, e) = (x + 2^(e-1) - (x < 0)) >> e for e >= 1. The constant and the sign go into SMMLAR's addend. x < 0 can be
 *    replaced by (a < 0): they differ only where x = 0, and then both give 0.
 *  - The output offset, shifted left by e, goes into the same addend; so does the wide offset into that of an unrounded narrow input. */
#include "tl_add_support.h"
#include "tl_support_bytes.h"

#if defined(TL_USE_DSP)

/* Above these shifts an addend could overflow; TFLite's parameters come nowhere near, so the slow loop may have them. */
#define NARROW_SHIFT_MAX 28
#define OUTPUT_SHIFT_MAX 22

typedef struct {
    int32_t narrow_constant; /* offset << 21 */
    int32_t narrow_multiplier;
    int32_t narrow_shift; /* to the right */
    int32_t narrow_half;  /* 2^(shift - 1) */
    int32_t wide_constant; /* offset << 19 */
    int32_t output_multiplier;
    int32_t output_shift; /* to the right */
    int32_t output_half;  /* 2^(shift - 1) + (output offset << shift) */
} add_constants;

/* `is_rounded`: narrow_shift > 0. A constant at each call, so that the loop has no test. */
TL_INLINE int8_t add_one(const add_constants *k, int32_t narrow, int32_t wide, int is_rounded)
{
    const int32_t a = narrow * (1 << 21) + k->narrow_constant;
    int32_t scaled;
    if (is_rounded) {
        scaled = (tl_smmlar(a, k->narrow_multiplier, k->narrow_half + (a >> 31)) >> k->narrow_shift) + k->wide_constant;
    } else {
        scaled = tl_smmlar(a, k->narrow_multiplier, k->wide_constant);
    }
    const int32_t sum = scaled + wide * (1 << 19);
    return (int8_t)tl_ssat8(tl_smmlar(sum * 2, k->output_multiplier, k->output_half + (sum >> 31)) >> k->output_shift);
}

TL_INLINE void add_words(const add_constants *constants, const int8_t *narrow, const int8_t *wide, int8_t *output, int32_t words, int is_rounded)
{
    const add_constants k = *constants;
    for (const int8_t *const end = narrow + 4 * words; narrow != end; narrow += 4, wide += 4, output += 4) {
        const uint32_t a = tl_load_word(narrow);
        const uint32_t b = tl_load_word(wide);
        output[0] = add_one(&k, (int8_t)a, (int8_t)b, is_rounded);
        output[1] = add_one(&k, (int8_t)(a >> 8), (int8_t)(b >> 8), is_rounded);
        output[2] = add_one(&k, (int8_t)(a >> 16), (int8_t)(b >> 16), is_rounded);
        output[3] = add_one(&k, (int8_t)(a >> 24), (int8_t)(b >> 24), is_rounded);
    }
}

/* SSAT has clamped to int8; a narrower activation costs a pass of its own, since converters choose the scale to make it unnecessary. */
static void clamp_words(const tl_activation *activation, int8_t *output, int32_t words)
{
    const uint32_t low = tl_broadcast_byte(activation->min);
    const uint32_t high = tl_broadcast_byte(activation->max);
    for (int32_t i = 0; i < words; ++i, output += 4) {
        tl_store_word(output, tl_min4_s8(tl_max4_s8(tl_load_word(output), low), high));
    }
}

/* Adds a multiple of four elements; returns how many, 0 when the parameters are out of the fast path's range. */
static int32_t add_fast(const tl_add_params *params, const int8_t *narrow, const int8_t *wide, int8_t *output, int32_t block_size)
{
    const int32_t words = block_size / 4;
    const int32_t narrow_shift = -params->narrow_shift;
    const int32_t output_shift = -params->output_shift;
    if (narrow_shift > NARROW_SHIFT_MAX || output_shift < 1 || output_shift > OUTPUT_SHIFT_MAX) {
        return 0;
    }
    const add_constants k = {
        params->narrow_offset * (1 << 21),
        params->narrow_multiplier,
        narrow_shift,
        (1 << narrow_shift) >> 1,
        params->wide_offset * (1 << 19),
        params->output_multiplier,
        output_shift,
        (1 << (output_shift - 1)) + params->output_offset * (1 << output_shift),
    };
    if (narrow_shift > 0) {
        add_words(&k, narrow, wide, output, words, 1);
    } else {
        add_words(&k, narrow, wide, output, words, 0);
    }
    if (params->activation.min > INT8_MIN || params->activation.max < INT8_MAX) {
        clamp_words(&params->activation, output, words);
    }
    return words * 4;
}

#endif

/* Refer header file for details. */
tl_status tl_elementwise_add_s8(const tl_add_params *params, const int8_t *narrow, const int8_t *wide, int8_t *output, int32_t block_size)
{
    int32_t i = 0;
#if defined(TL_USE_DSP)
    i = add_fast(params, narrow, wide, output, block_size);
#endif
    for (; i < block_size; ++i) {
        output[i] = tl_add_finish(params, tl_add_scale_narrow(params, narrow[i]) + tl_add_scale_wide(params, wide[i]));
    }
    return TL_OK;
}
