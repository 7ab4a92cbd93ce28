/* SPDX-License-Identifier: MIT
 * Refer to tl_convolution.h, and to tl_depthwise_taps.h for the inner loop. */
#include "tl_convolution.h"
#include "tl_depthwise_taps.h"
#include "tl_support.h"

/* The part of the window that lies inside the input, as offsets to its first tap. */
typedef struct {
    int32_t rows;
    int32_t columns;
    int32_t input_row_step;  /* bytes from a tap to the one below */
    int32_t input_step;      /* bytes from a tap to its right neighbour */
    int32_t filter_row_skip; /* bytes of weights right and left of the inside part */
    int32_t input_offset;
} tl_taps;

TL_INLINE void sum_four_channels(const tl_taps *taps, const int8_t *input, const int8_t *filter, int32_t sums[4])
{
#if defined(TL_USE_DSP)
    const uint32_t offsets = ((uint32_t)taps->input_offset & 0xFFFFU) * 0x00010001U;
    int32_t sum_0 = sums[0], sum_1 = sums[1], sum_2 = sums[2], sum_3 = sums[3];
    const int32_t step = taps->input_step;
    for (int32_t ky = taps->rows; ky > 0; ky--) {
        const int8_t *tap = input;
        int32_t left = taps->columns;
#if defined(TL_ASM_LOOPS)
        if (left > 0) {
            uint32_t v, w, even, by;
            /* clang-format off */
            __asm__ volatile(TL_TAPS_LOOP(TL_TAPS_PACKED, TL_TAPS_OFFSET)
                             : [s0] "+r"(sum_0), [s1] "+r"(sum_1), [s2] "+r"(sum_2), [s3] "+r"(sum_3), [v] "=&r"(v),
                               [w] "=&r"(w), [even] "=&r"(even), [by] "=&r"(by), [values] "+r"(tap),
                               [weights] "+r"(filter), [taps] "+r"(left)
                             : [step] "r"(step), [offsets] "r"(offsets)
                             : "cc", "memory");
            /* clang-format on */
        }
#endif
        for (; left > 0; left--) {
            const uint32_t values = tl_load_word(tap);
            const uint32_t weights = tl_load_word(filter);
            tap += step;
            filter += 4;
            const uint32_t outer = tl_sadd16(tl_sxtb16(values), offsets); /* channels 0 and 2 */
            const uint32_t inner = tl_sadd16(tl_sxtb16_ror8(values), offsets);
            const uint32_t outer_weights = tl_sxtb16(weights);
            const uint32_t inner_weights = tl_sxtb16_ror8(weights);
            sum_0 = tl_smlabb(outer, outer_weights, sum_0);
            sum_2 = tl_smlatt(outer, outer_weights, sum_2);
            sum_1 = tl_smlabb(inner, inner_weights, sum_1);
            sum_3 = tl_smlatt(inner, inner_weights, sum_3);
        }
        input += taps->input_row_step;
        filter += taps->filter_row_skip;
    }
    sums[0] = sum_0, sums[1] = sum_1, sums[2] = sum_2, sums[3] = sum_3;
#else
    for (int32_t ky = 0; ky < taps->rows; ky++) {
        for (int32_t kx = 0; kx < taps->columns; kx++) {
            for (int32_t c = 0; c < 4; c++) {
                sums[c] = tl_wrap_add(sums[c], (input[kx * taps->input_step + c] + taps->input_offset) * filter[c]);
            }
            filter += 4;
        }
        input += taps->input_row_step;
        filter += taps->filter_row_skip;
    }
#endif
}

/* constants: {bias, multiplier, addend, shift} of the channel. */
TL_INLINE int8_t rescale(int32_t sum, const int32_t *constants)
{
    return (int8_t)tl_rescale_s8(tl_wrap_add(sum, sum), constants[1], constants[2], constants[3]);
}

TL_INLINE void store_four_channels(
    const tl_taps *taps, const int8_t *input, const int8_t *filter, const int32_t *constants, int8_t *output)
{
    int32_t sums[4] = {constants[0], constants[4], constants[8], constants[12]};
    sum_four_channels(taps, input, filter, sums);
    /* Written out, so that sums stay in registers. */
    output[0] = rescale(sums[0], constants);
    output[1] = rescale(sums[1], constants + 4);
    output[2] = rescale(sums[2], constants + 8);
    output[3] = rescale(sums[3], constants + 12);
}

/* First tap inside [0, extent) of a window that starts at `start`. */
TL_INLINE int32_t first_tap(int32_t start, int32_t dilation)
{
    return start < 0 ? (-start + dilation - 1) / dilation : 0;
}

/* One past the last tap inside. */
TL_INLINE int32_t end_tap(int32_t start, int32_t dilation, int32_t extent, int32_t count)
{
    return start >= extent ? 0 : tl_min(count, (extent - start + dilation - 1) / dilation);
}

/* `rows` rows of `columns` taps. Windows one tap wide are turned, so that the inner loop has the taps. */
TL_INLINE tl_taps taps_of(const tl_depthwise_params *params,
                          const tl_dims *input_dims,
                          const tl_dims *filter_dims,
                          int32_t rows,
                          int32_t columns)
{
    const int32_t step = params->dilation.w * input_dims->c;
    const int32_t row_step = params->dilation.h * input_dims->w * input_dims->c;
    if (filter_dims->w == 1) {
        const tl_taps turned = {columns, rows, 0, row_step, 0, params->input_offset};
        return turned;
    }
    const tl_taps taps = {rows, columns, row_step, step, 4 * (filter_dims->w - columns), params->input_offset};
    return taps;
}

tl_status tl_depthwise_conv_s8(const tl_depthwise_params *params,
                               const tl_dims *input_dims,
                               const int8_t *input,
                               const tl_dims *filter_dims,
                               const int8_t *filter,
                               const int32_t *constants,
                               const tl_dims *output_dims,
                               int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t filter_block = 4 * filter_dims->h * filter_dims->w;
    int8_t *next = output;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t out_y = 0; out_y < output_dims->h; out_y++) {
            const int32_t top = out_y * params->stride.h - params->padding.h;
            const int32_t ky = first_tap(top, params->dilation.h);
            const int32_t rows = end_tap(top, params->dilation.h, input_dims->h, filter_dims->h) - ky;
            for (int32_t out_x = 0; out_x < output_dims->w; out_x++) {
                const int32_t left = out_x * params->stride.w - params->padding.w;
                const int32_t kx = first_tap(left, params->dilation.w);
                const int32_t columns =
                    tl_max(0, end_tap(left, params->dilation.w, input_dims->w, filter_dims->w) - kx);
                const tl_taps taps = taps_of(params, input_dims, filter_dims, rows, columns);
                const int32_t y = top + ky * params->dilation.h;
                const int32_t x = left + kx * params->dilation.w;
                const int8_t *first_value = input + (y * input_dims->w + x) * channels;
                const int8_t *first_weight = filter + 4 * (ky * filter_dims->w + kx);
                for (int32_t c = 0; c < channels; c += 4) {
                    store_four_channels(&taps, first_value + c, first_weight, constants + 4 * c, next);
                    first_weight += filter_block;
                    next += 4;
                }
            }
        }
        input += input_dims->h * input_dims->w * channels;
    }
    if (params->activation.min > -128 || params->activation.max < 127) {
        tl_clamp_s8(output, (int32_t)(next - output), &params->activation);
    }
    return TL_OK;
}
