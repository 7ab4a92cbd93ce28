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

TL_INLINE int32_t sum_of(terms t, int32_t a, int32_t b)
{
    return t.zero + a * t.factor_1 + b * t.factor_2;
}

/* Sums of four elements. */
TL_INLINE void sums_of_four(terms t, const int8_t *a, const int8_t *b, int32_t sums[4])
{
    uint32_t four_a, four_b;
    memcpy(&four_a, a, sizeof(four_a));
    memcpy(&four_b, b, sizeof(four_b));
    sums[0] = sum_of(t, (int8_t)four_a, (int8_t)four_b);
    sums[1] = sum_of(t, (int8_t)(four_a >> 8), (int8_t)(four_b >> 8));
    sums[2] = sum_of(t, (int8_t)(four_a >> 16), (int8_t)(four_b >> 16));
    sums[3] = sum_of(t, (int8_t)(four_a >> 24), (int8_t)(four_b >> 24));
}

TL_INLINE void
scan(tl_scan_kind kind, const terms *from, const int8_t *a, const int8_t *b, int32_t size, tl_dynamic_range *range)
{
    const terms t = *from;
    int32_t low = 0, high = 0;
    for (; size >= 4; size -= 4) {
        int32_t sums[4];
        sums_of_four(t, a, b, sums);
        (void)tl_scan(kind, sums[0], &low, &high);
        (void)tl_scan(kind, sums[1], &low, &high);
        (void)tl_scan(kind, sums[2], &low, &high);
        (void)tl_scan(kind, sums[3], &low, &high);
        a += 4;
        b += 4;
    }
    for (; size > 0; size--) {
        (void)tl_scan(kind, sum_of(t, *a++, *b++), &low, &high);
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

TL_INLINE int8_t requantize(int32_t sum, int32_t multiplier, int32_t zero_point, int32_t is_clipped)
{
    return is_clipped ? tl_dynamic_q_relu(sum, multiplier) : tl_dynamic_q(sum, multiplier, zero_point);
}

TL_INLINE void add_all(const terms *from,
                       const int8_t *a,
                       const int8_t *b,
                       int8_t *output,
                       int32_t size,
                       const tl_dynamic_range *range,
                       int32_t is_clipped)
{
    const terms t = *from;
    const int32_t multiplier = range->multiplier, zero_point = range->zero_point;
    int32_t i = 0;
    for (; i + 4 <= size; i += 4) {
        int32_t sums[4];
        sums_of_four(t, a + i, b + i, sums);
        output[i] = requantize(sums[0], multiplier, zero_point, is_clipped);
        output[i + 1] = requantize(sums[1], multiplier, zero_point, is_clipped);
        output[i + 2] = requantize(sums[2], multiplier, zero_point, is_clipped);
        output[i + 3] = requantize(sums[3], multiplier, zero_point, is_clipped);
    }
    for (; i < size; i++) {
        output[i] = requantize(sum_of(t, a[i], b[i]), multiplier, zero_point, is_clipped);
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
    /* In the asymmetric scheme a RELU's zero is -128, where sums below it saturate. */
    if (dynamic->is_relu && !dynamic->is_asymmetric) {
        add_all(&t, input_1, input_2, output, size, &range, 1);
    } else {
        add_all(&t, input_1, input_2, output, size, &range, 0);
    }
    tl_dynamic_end(&range, dynamic, output, size, output_scale, NULL);
    return TL_OK;
}
