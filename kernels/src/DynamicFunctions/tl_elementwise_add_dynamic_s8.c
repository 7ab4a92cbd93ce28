/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. The sum is cheap enough to be computed twice: first for the range, then for the output. */
#include "tl_dynamic_support.h"

/* Terms count in 2^-20 of the larger scale: two differences of 9 bits stay below 2^29. */
#define TERM_BITS 20

typedef struct {
    int32_t factor_1;
    int32_t factor_2;
    int32_t zero; /* what both zero points make of 0 + 0, negated */
} terms;

TL_INLINE int32_t sum_of(const terms *t, int32_t a, int32_t b)
{
    return a * t->factor_1 + b * t->factor_2 + t->zero;
}

TL_INLINE void
scan(tl_scan_kind kind, const terms *from, const int8_t *a, const int8_t *b, int32_t size, tl_dynamic_range *range)
{
    const terms t = *from;
    int32_t low = 0, high = 0;
    for (; size > 0; size--) {
        (void)tl_scan(kind, sum_of(&t, *a++, *b++), &low, &high);
    }
    range->low = low;
    range->high = high;
}

static void scan_all(const tl_dynamic_params *dynamic,
                     const terms *t,
                     const int8_t *a,
                     const int8_t *b,
                     int32_t size,
                     tl_dynamic_range *range)
{
    switch (tl_scan_kind_of(dynamic)) {
    case TL_SCAN_BITS:
        scan(TL_SCAN_BITS, t, a, b, size, range);
        break;
    case TL_SCAN_BITS_RELU:
        scan(TL_SCAN_BITS_RELU, t, a, b, size, range);
        break;
    case TL_SCAN_RANGE:
        scan(TL_SCAN_RANGE, t, a, b, size, range);
        break;
    case TL_SCAN_MAX:
        scan(TL_SCAN_MAX, t, a, b, size, range);
        break;
    }
}

tl_status tl_elementwise_add_dynamic_s8(const tl_dynamic_params *dynamic,
                                        const int8_t *input_1,
                                        const int8_t *input_2,
                                        int8_t *output,
                                        int32_t size,
                                        const int32_t *scale_1,
                                        const int32_t *scale_2,
                                        int32_t *output_scale)
{
    const int32_t second_is_wide = scale_2[1] > scale_1[1] || (scale_2[1] == scale_1[1] && scale_2[0] > scale_1[0]);
    const int32_t wide[TL_SCALE_WORDS] = {second_is_wide ? scale_2[0] : scale_1[0],
                                          second_is_wide ? scale_2[1] : scale_1[1],
                                          0};
    terms t;
    t.factor_1 = tl_rescale_units(1 << TERM_BITS, scale_1[0], scale_1[1], wide[0], wide[1]);
    t.factor_2 = tl_rescale_units(1 << TERM_BITS, scale_2[0], scale_2[1], wide[0], wide[1]);
    t.zero = -scale_1[2] * t.factor_1 - scale_2[2] * t.factor_2;
    tl_dynamic_range range;
    /* Units are the wide scale / 2^20: as a layer with weight scale 2^(6 - 20), 6 being the bits that layers count in.
     */
    tl_dynamic_params own = *dynamic;
    own.weight_multiplier = 1 << 30;
    own.weight_shift = 7 - TERM_BITS;
    tl_dynamic_begin(&range, &own, wide, NULL);
    scan_all(dynamic, &t, input_1, input_2, size, &range);
    tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
    const int32_t is_relu = dynamic->is_relu, multiplier = range.multiplier, zero_point = range.zero_point;
    for (int32_t i = 0; i < size; i++) {
        const int32_t sum = sum_of(&t, input_1[i], input_2[i]);
        output[i] = tl_dynamic_q(is_relu ? tl_max(sum, 0) : sum, multiplier, zero_point);
    }
    tl_dynamic_end(&range, dynamic, output, size, output_scale, NULL);
    return TL_OK;
}
