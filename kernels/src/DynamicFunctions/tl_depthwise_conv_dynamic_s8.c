/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. One output pixel at a time; taps outside the input are left out. With one output channel per
 * input channel, four channels are one word of input and one of weights. */
#include "tl_depthwise_taps.h"
#include "tl_dynamic_support.h"
#include "tl_walk.h"

int32_t tl_depthwise_conv_dynamic_s8_get_buffer_size(tl_dynamic_form form, const tl_dims *output_dims)
{
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * output_dims->c;
    const int32_t results = form == TL_DYNAMIC_FULL        ? 4 * outputs
                            : form == TL_DYNAMIC_RECOMPUTE ? 4 * output_dims->c
                                                           : 0;
    return 4 * output_dims->c + results;
}

typedef struct {
    const tl_depthwise_params *params;
    const tl_dims *input_dims;
    const tl_dims *filter_dims;
    const tl_dims *output_dims;
    const int8_t *filter;
    const int32_t *biases;
    const int32_t *constants;
    tl_scan_kind kind;
    int8_t *output;       /* first byte of the results */
    int32_t result_bytes; /* per result */
    int32_t is_dry;       /* results are thrown away */
    int32_t is_running;
    tl_dynamic_range *range;
} tl_layer;

/* The window's part inside the input. Windows one tap wide are turned, so that the inner loop has the taps. */
typedef struct {
    const int8_t *input;
    const int8_t *filter;
    int32_t rows;
    int32_t columns;
    int32_t input_row;
    int32_t input_step;
    int32_t filter_row;
    int32_t filter_step;
} tl_inside;

TL_INLINE int32_t sum_one(const tl_inside *at, int32_t input_c, int32_t output_c, int32_t offset)
{
    int32_t sum = 0;
    for (int32_t ky = 0; ky < at->rows; ky++) {
        const int8_t *values = at->input + ky * at->input_row + input_c;
        const int8_t *weights = at->filter + ky * at->filter_row + output_c;
        for (int32_t kx = 0; kx < at->columns; kx++) {
            sum = tl_wrap_add(sum, (*values + offset) * *weights);
            values += at->input_step;
            weights += at->filter_step;
        }
    }
    return sum;
}

/* Four channels of a pixel with one output channel per input channel. A zero offset, which is the Q scheme's, costs
 * nothing. */
TL_INLINE void sum_four(const tl_inside *at, int32_t channel, int32_t offset, int32_t sums[4])
{
#if defined(TL_USE_DSP)
    const uint32_t offsets = ((uint32_t)offset & 0xFFFFU) * 0x00010001U;
    int32_t sum_0 = sums[0], sum_1 = sums[1], sum_2 = sums[2], sum_3 = sums[3];
    const int32_t input_step = at->input_step, filter_step = at->filter_step;
    const int8_t *values_row = at->input + channel;
    const int8_t *weights_row = at->filter + channel;
    for (int32_t ky = at->rows; ky > 0; ky--) {
        const int8_t *values = values_row;
        const int8_t *weights = weights_row;
        int32_t taps = at->columns;
#if defined(TL_ASM_LOOPS)
        if (offset == 0 && taps > 0) {
            uint32_t v, w, even, by;
            /* clang-format off */
            __asm__ volatile(TL_TAPS_LOOP(TL_TAPS_SPREAD, TL_TAPS_PLAIN)
                             : [s0] "+r"(sum_0), [s1] "+r"(sum_1), [s2] "+r"(sum_2), [s3] "+r"(sum_3), [v] "=&r"(v),
                               [w] "=&r"(w), [even] "=&r"(even), [by] "=&r"(by), [values] "+r"(values),
                               [weights] "+r"(weights), [taps] "+r"(taps)
                             : [step] "r"(input_step), [weight_step] "r"(filter_step)
                             : "cc", "memory");
            /* clang-format on */
        }
#endif
        for (; taps > 0; taps--) {
            const uint32_t four = tl_load_word(values);
            const uint32_t by = tl_load_word(weights);
            values += input_step;
            weights += filter_step;
            uint32_t even = tl_sxtb16(four), odd = tl_sxtb16_ror8(four); /* channels 0 and 2, 1 and 3 */
            if (offset != 0) {
                even = tl_sadd16(even, offsets);
                odd = tl_sadd16(odd, offsets);
            }
            const uint32_t even_by = tl_sxtb16(by);
            const uint32_t odd_by = tl_sxtb16_ror8(by);
            sum_0 = tl_smlabb(even, even_by, sum_0);
            sum_2 = tl_smlatt(even, even_by, sum_2);
            sum_1 = tl_smlabb(odd, odd_by, sum_1);
            sum_3 = tl_smlatt(odd, odd_by, sum_3);
        }
        values_row += at->input_row;
        weights_row += at->filter_row;
    }
    sums[0] = sum_0, sums[1] = sum_1, sums[2] = sum_2, sums[3] = sum_3;
#else
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = tl_wrap_add(sums[i], sum_one(at, channel + i, channel + i, offset));
    }
#endif
}

TL_INLINE int32_t align(int32_t sum, int32_t multiplier)
{
    return tl_smmulr(tl_wrap_shift_left(sum, 8), multiplier);
}

TL_INLINE void store_one(void *results, int32_t c, int32_t value, int32_t is_full, const tl_dynamic_range *range)
{
    if (is_full) {
        ((int32_t *)results)[c] = value;
    } else {
        ((int8_t *)results)[c] = tl_dynamic_q(value, range->multiplier, range->zero_point);
    }
}

TL_INLINE void
store_four(void *results, int32_t c, const int32_t values[4], int32_t is_full, const tl_dynamic_range *range)
{
    if (is_full) {
        int32_t *next = (int32_t *)results + c;
        next[0] = values[0], next[1] = values[1], next[2] = values[2], next[3] = values[3];
    } else {
        const int32_t multiplier = range->multiplier, zero_point = range->zero_point;
        int8_t *next = (int8_t *)results + c;
        next[0] = tl_dynamic_q(values[0], multiplier, zero_point);
        next[1] = tl_dynamic_q(values[1], multiplier, zero_point);
        next[2] = tl_dynamic_q(values[2], multiplier, zero_point);
        next[3] = tl_dynamic_q(values[3], multiplier, zero_point);
    }
}

/* One pixel, results behind each other. The kind is known to each copy of this. */
TL_INLINE void convolve_channels(tl_scan_kind kind, const tl_layer *layer, const tl_inside *at, void *results)
{
    tl_dynamic_range *range = layer->range;
    const int32_t channels = layer->output_dims->c, offset = layer->params->input_offset;
    const int32_t is_full = layer->result_bytes == 4;
    const int32_t *biases = layer->biases, *multipliers = layer->constants + 8;
    int32_t low = range->low, high = range->high, c = 0;
    if (layer->params->multiplier == 1) {
        for (; c + 4 <= channels; c += 4) {
            int32_t sums[4] = {biases[c], biases[c + 1], biases[c + 2], biases[c + 3]};
            if (offset == 0) {
                sum_four(at, c, 0, sums);
            } else {
                sum_four(at, c, offset, sums);
            }
            /* Written out, so that sums stay in registers. */
            sums[0] = tl_scan(kind, align(sums[0], multipliers[0]), &low, &high);
            sums[1] = tl_scan(kind, align(sums[1], multipliers[1]), &low, &high);
            sums[2] = tl_scan(kind, align(sums[2], multipliers[2]), &low, &high);
            sums[3] = tl_scan(kind, align(sums[3], multipliers[3]), &low, &high);
            store_four(results, c, sums, is_full, range);
            multipliers += 12;
        }
    }
    for (; c < channels; c++) {
        const int32_t sum = sum_one(at, c / layer->params->multiplier, c, offset);
        const int32_t multiplier = layer->constants[12 * (c >> 2) + 8 + (c & 3)];
        const int32_t aligned = align(tl_wrap_add(biases[c], sum), multiplier);
        store_one(results, c, tl_scan(kind, aligned, &low, &high), is_full, range);
    }
    range->low = low;
    range->high = high;
}

static void convolve_pixel(const tl_layer *layer, const tl_inside *at, void *results)
{
    switch (layer->kind) {
    case TL_SCAN_BITS:
        convolve_channels(TL_SCAN_BITS, layer, at, results);
        break;
    case TL_SCAN_BITS_RELU:
        convolve_channels(TL_SCAN_BITS_RELU, layer, at, results);
        break;
    case TL_SCAN_RANGE:
        convolve_channels(TL_SCAN_RANGE, layer, at, results);
        break;
    case TL_SCAN_MAX:
        convolve_channels(TL_SCAN_MAX, layer, at, results);
        break;
    }
}

static void store_pixel(const tl_layer *layer, const tl_inside *at, int32_t pixel)
{
    tl_dynamic_range *range = layer->range;
    const int32_t done = pixel * layer->output_dims->c;
    int8_t *results = layer->output + (layer->is_dry ? 0 : done * layer->result_bytes);
    convolve_pixel(layer, at, results);
    if (layer->is_running && tl_dynamic_is_exceeded(range)) {
        const int32_t zero_point = range->zero_point;
        tl_dynamic_realign(range, tl_dynamic_grow(range), zero_point, layer->output, done);
        convolve_pixel(layer, at, results);
    }
}

static void convolve(const tl_layer *layer, const int8_t *input)
{
    const tl_depthwise_params *params = layer->params;
    const tl_dims *input_dims = layer->input_dims, *filter_dims = layer->filter_dims, *output_dims = layer->output_dims;
    const int32_t input_row = input_dims->w * input_dims->c;
    const int32_t filter_row = filter_dims->w * output_dims->c;
    const int32_t row_step = params->dilation.h * input_row, column_step = params->dilation.w * input_dims->c;
    int32_t pixel = 0;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            for (int32_t x = 0; x < output_dims->w; x++) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t first_row = top + rows.first * params->dilation.h;
                const int32_t first_column = left + columns.first * params->dilation.w;
                const int32_t is_empty = rows.last <= rows.first || columns.last <= columns.first;
                const int32_t rows_inside = is_empty ? 0 : rows.last - rows.first;
                const int32_t columns_inside = is_empty ? 0 : columns.last - columns.first;
                const int8_t *first = is_empty ? input : input + first_row * input_row + first_column * input_dims->c;
                const int8_t *weights =
                    layer->filter + (is_empty ? 0 : rows.first * filter_row + columns.first * output_dims->c);
                const int32_t is_turned = columns_inside == 1;
                const tl_inside at = {first,
                                      weights,
                                      is_turned ? 1 : rows_inside,
                                      is_turned ? rows_inside : columns_inside,
                                      row_step,
                                      is_turned ? row_step : column_step,
                                      filter_row,
                                      is_turned ? filter_row : output_dims->c};
                store_pixel(layer, &at, pixel++);
            }
        }
        input += input_dims->h * input_row;
    }
}

tl_status tl_depthwise_conv_dynamic_s8(const tl_context *ctx,
                                       const tl_depthwise_params *params,
                                       const tl_dynamic_params *dynamic,
                                       const tl_dims *input_dims,
                                       const int8_t *input,
                                       const tl_dims *filter_dims,
                                       const int8_t *filter,
                                       const int32_t *constants,
                                       const tl_dims *output_dims,
                                       int8_t *output,
                                       const int32_t *input_scale,
                                       int32_t *output_scale,
                                       int32_t *state)
{
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * output_dims->c;
    /* Differences to the zero point are multiplied, so it has no part in the biases. */
    const int32_t without_zero[TL_SCALE_WORDS] = {input_scale[0], input_scale[1], 0};
    tl_depthwise_params own = *params;
    own.input_offset = -input_scale[2];
    int32_t *biases = (int32_t *)ctx->buf;
    int8_t *results = (int8_t *)(biases + output_dims->c);
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, without_zero, constants, output_dims->c, 0, biases);
    tl_layer layer = {&own,
                      input_dims,
                      filter_dims,
                      output_dims,
                      filter,
                      biases,
                      constants,
                      tl_scan_kind_of(dynamic),
                      output,
                      1,
                      0,
                      0,
                      &range};
    switch (dynamic->form) {
    case TL_DYNAMIC_FULL:
        layer.output = results;
        layer.result_bytes = (int32_t)sizeof(int32_t);
        convolve(&layer, input);
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
        tl_dynamic_requantize(&range, (const int32_t *)(const void *)results, output, outputs, dynamic->is_relu);
        break;
    case TL_DYNAMIC_RECOMPUTE:
        layer.output = results;
        layer.is_dry = 1;
        convolve(&layer, input);
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
        layer.output = output;
        layer.is_dry = 0;
        convolve(&layer, input);
        break;
    case TL_DYNAMIC_RUNNING:
        layer.is_running = 1;
        convolve(&layer, input);
        break;
    }
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
