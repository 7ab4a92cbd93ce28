/* SPDX-License-Identifier: MIT
 * int8 ADD of equal shapes. The narrow input has 256 values, so its rescaling is looked up: the table costs 256
 * rescalings once and saves one per element. With DSP the rest of an element is an addition, SMMLAR, a shift and SSAT
 * (see tl_add_rescale for why that is exact): half of the rounding, the sign that sends ties away from zero and the
 * output offset all go into SMMLAR's addend. */
#include "tl_add_support.h"
#include "tl_support_bytes.h"

#define TABLE_ENTRIES 256

/* Refer header file for details. */
int32_t tl_elementwise_add_s8_get_buffer_size(int32_t block_size)
{
    return block_size >= 2 * TABLE_ENTRIES ? TABLE_ENTRIES * (int32_t)sizeof(int32_t) : 0;
}

/* Twice the sum of the rescaled narrow value and the rescaled offset of the wide input; SMMLAR wants its operand
 * doubled. */
TL_INLINE int32_t doubled_narrow(const tl_add_params *params, int32_t narrow)
{
    return (tl_add_scale_narrow(params, narrow) + tl_add_scale_wide(params, 0)) * 2;
}

/* Entry n is for the int8 whose byte is n. */
static void fill_table(const tl_add_params *params, int32_t *table)
{
    const tl_add_params p = *params; /* a copy: the table might alias the original, for all that C knows */
    for (int32_t n = 0; n < TABLE_ENTRIES; ++n) {
        table[n] = doubled_narrow(&p, n < 128 ? n : n - TABLE_ENTRIES);
    }
}

#if defined(TL_USE_DSP)

/* Above this the output offset, shifted, could overflow the addend; below 1 there is no half to add. Real models are
 * near 19. */
#define OUTPUT_SHIFT_MAX 22

typedef struct {
    const int32_t *table;
    int32_t multiplier;
    int32_t shift; /* to the right */
    int32_t half;  /* 2^(shift - 1) + (output offset << shift) */
} add_constants;

TL_INLINE int8_t add_one(const add_constants *k, uint32_t narrow, int32_t wide)
{
    const int32_t sum = k->table[narrow & 0xFFU] + wide * (1 << TL_ADD_LEFT_SHIFT);
    return (int8_t)tl_ssat8(tl_smmlar(sum, k->multiplier, k->half + (sum >> 31)) >> k->shift);
}

static void
add_words(const add_constants *constants, const int8_t *narrow, const int8_t *wide, int8_t *output, int32_t words)
{
    const add_constants k = *constants;
    for (const int8_t *const end = narrow + 4 * words; narrow != end; narrow += 4, wide += 4, output += 4) {
        const uint32_t a = tl_load_word(narrow);
        const uint32_t b = tl_load_word(wide);
        output[0] = add_one(&k, a, (int8_t)b);
        output[1] = add_one(&k, a >> 8, (int8_t)(b >> 8));
        output[2] = add_one(&k, a >> 16, (int8_t)(b >> 16));
        output[3] = add_one(&k, a >> 24, (int8_t)(b >> 24));
    }
}

/* SSAT has clamped to int8; a narrower activation costs a pass of its own, since converters choose the scale to make it
 * unnecessary. */
static void clamp_words(const tl_activation *activation, int8_t *output, int32_t words)
{
    const uint32_t low = tl_broadcast_byte(activation->min);
    const uint32_t high = tl_broadcast_byte(activation->max);
    for (int32_t i = 0; i < words; ++i, output += 4) {
        tl_store_word(output, tl_min4_s8(tl_max4_s8(tl_load_word(output), low), high));
    }
}

/* Adds a multiple of four elements; returns how many, 0 when the parameters are out of the fast path's range. */
static int32_t add_fast(const tl_add_params *params,
                        const int32_t *table,
                        const int8_t *narrow,
                        const int8_t *wide,
                        int8_t *output,
                        int32_t block_size)
{
    const int32_t words = block_size / 4;
    const int32_t shift = -params->output_shift;
    if (shift < 1 || shift > OUTPUT_SHIFT_MAX) {
        return 0;
    }
    const add_constants k = {
        table,
        params->output_multiplier,
        shift,
        (1 << (shift - 1)) + params->output_offset * (1 << shift),
    };
    add_words(&k, narrow, wide, output, words);
    if (params->activation.min > INT8_MIN || params->activation.max < INT8_MAX) {
        clamp_words(&params->activation, output, words);
    }
    return words * 4;
}

#endif

/* Refer header file for details. */
tl_status tl_elementwise_add_s8(const tl_context *ctx,
                                const tl_add_params *params,
                                const int8_t *narrow,
                                const int8_t *wide,
                                int8_t *output,
                                int32_t block_size)
{
    int32_t *const table = tl_elementwise_add_s8_get_buffer_size(block_size) > 0 ? (int32_t *)ctx->buf : NULL;
    int32_t i = 0;
    if (table != NULL) {
        fill_table(params, table);
#if defined(TL_USE_DSP)
        i = add_fast(params, table, narrow, wide, output, block_size);
#endif
    }
    for (; i < block_size; ++i) {
        const int32_t doubled = table != NULL ? table[(uint8_t)narrow[i]] : doubled_narrow(params, narrow[i]);
        output[i] = tl_add_finish(params, doubled / 2 + wide[i] * (1 << (TL_ADD_LEFT_SHIFT - 1)));
    }
    return TL_OK;
}
