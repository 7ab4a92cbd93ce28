/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. One output pixel at a time: sums of all its channels, then their range. Taps outside the input
 * are left out, so that where there are some, the zero point is taken from every value; elsewhere it is in the biases.
 */
#include "tl_depthwise_pixel.h"
#include "tl_dynamic_support.h"
#include "tl_walk.h"

int32_t
tl_depthwise_conv_dynamic_s8_get_buffer_size(tl_dynamic_form form, int32_t is_asymmetric, const tl_dims *output_dims)
{
    const int32_t pixels = form == TL_DYNAMIC_FULL ? output_dims->n * output_dims->h * output_dims->w : 1;
    return 4 * output_dims->c * ((is_asymmetric ? 2 : 1) + pixels);
}

typedef struct {
    const tl_depthwise_params *params;
    const tl_dims *input_dims;
    const tl_dims *filter_dims;
    const tl_dims *output_dims;
    const int8_t *filter;
    const int32_t *biases;        /* with the zero point, for windows inside the input */
    const int32_t *border_biases; /* without it */
    const int32_t *constants;
    tl_scan_kind kind;
    int32_t is_packed;
    int32_t is_full;
    int32_t *sums;  /* full form: of all pixels; else of one */
    int8_t *output; /* NULL: not yet */
    int32_t is_running;
    int32_t is_relu;
    tl_dynamic_range *range;
} tl_layer;

/* The window's part inside the input, in taps. */
typedef struct {
    const int8_t *input; /* first tap */
    tl_taps rows;
    tl_taps columns;
    int32_t is_whole;
} tl_inside;

TL_INLINE int32_t sum_one(const tl_layer *layer, const tl_inside *at, int32_t input_c, int32_t output_c)
{
    const tl_tile *dilation = &layer->params->dilation;
    const int32_t offset = layer->params->input_offset;
    const int32_t input_step = layer->input_dims->c, filter_step = layer->output_dims->c;
    int32_t sum = layer->border_biases[output_c];
    for (int32_t ky = at->rows.first; ky < at->rows.last; ky++) {
        const int32_t row = (ky - at->rows.first) * dilation->h * layer->input_dims->w;
        const int8_t *values = at->input + row * input_step + input_c;
        const int8_t *weights =
            layer->filter + (ky * layer->filter_dims->w + at->columns.first) * filter_step + output_c;
        for (int32_t kx = at->columns.first; kx < at->columns.last; kx++) {
            sum = tl_wrap_add(sum, (*values + offset) * *weights);
            values += dilation->w * input_step;
            weights += filter_step;
        }
    }
    return sum;
}

/* Windows one tap wide are turned, so that the inner loop has the taps. */
static void sum_blocks(const tl_layer *layer, const tl_inside *at, int32_t *sums)
{
    const tl_dims *filter_dims = layer->filter_dims;
    const tl_tile *dilation = &layer->params->dilation;
    const int32_t depth = layer->input_dims->c;
    const int32_t row_step = dilation->h * layer->input_dims->w * depth;
    const int32_t is_turned = filter_dims->w == 1;
    const int32_t height = at->rows.last - at->rows.first, width = at->columns.last - at->columns.first;
    const int32_t first_weight = 4 * (at->rows.first * filter_dims->w + at->columns.first);
    const int32_t step = is_turned ? row_step : dilation->w * depth;
    const int32_t weight_skip = is_turned ? 0 : 4 * (filter_dims->w - width);
    tl_depthwise_pixel pixel = {at->input,
                                layer->filter + first_weight,
                                at->is_whole ? layer->biases : layer->border_biases,
                                sums,
                                layer->output_dims->c / 4,
                                is_turned ? 1 : height,
                                is_turned ? height : width,
                                is_turned ? 0 : row_step - width * step,
                                weight_skip,
                                4 * (filter_dims->h - height) * filter_dims->w,
                                0,
                                step};
    if (height <= 0 || width <= 0) {
        memcpy(sums, layer->border_biases, (size_t)layer->output_dims->c * sizeof(int32_t));
    } else {
        tl_depthwise_sum_pixel(&pixel, at->is_whole ? 0 : layer->params->input_offset);
    }
}

static void sum_pixel(const tl_layer *layer, const tl_inside *at, int32_t *sums)
{
    if (layer->is_packed) {
        sum_blocks(layer, at, sums);
        return;
    }
    for (int32_t c = 0; c < layer->output_dims->c; c++) {
        sums[c] = sum_one(layer, at, c / layer->params->multiplier, c);
    }
}

TL_INLINE int32_t align(int32_t sum, int32_t multiplier)
{
    return tl_smmulr(tl_wrap_shift_left(sum, 8), multiplier);
}

/* A pixel's sums into the range, and where they are needed next. The kind is known to each copy of this. */
TL_INLINE void scan_channels(tl_scan_kind kind, const tl_layer *layer, int32_t *sums)
{
    tl_dynamic_range *range = layer->range;
    const int32_t channels = layer->output_dims->c;
    const int32_t *multipliers = layer->constants + 8;
    int32_t low = range->low, high = range->high, c = 0;
    for (; c + 4 <= channels; c += 4) {
        /* Written out, so that values stay in registers. */
        const int32_t sum_0 = sums[c], sum_1 = sums[c + 1], sum_2 = sums[c + 2], sum_3 = sums[c + 3];
        sums[c] = tl_scan(kind, align(sum_0, multipliers[0]), &low, &high);
        sums[c + 1] = tl_scan(kind, align(sum_1, multipliers[1]), &low, &high);
        sums[c + 2] = tl_scan(kind, align(sum_2, multipliers[2]), &low, &high);
        sums[c + 3] = tl_scan(kind, align(sum_3, multipliers[3]), &low, &high);
        multipliers += 12;
    }
    for (int32_t i = 0; c + i < channels; i++) {
        sums[c + i] = tl_scan(kind, align(sums[c + i], multipliers[i]), &low, &high);
    }
    range->low = low;
    range->high = high;
}

static TL_NOINLINE void scan_pixel(const tl_layer *layer, int32_t *sums)
{
    switch (layer->kind) {
    case TL_SCAN_BITS:
        scan_channels(TL_SCAN_BITS, layer, sums);
        break;
    case TL_SCAN_BITS_RELU:
        scan_channels(TL_SCAN_BITS_RELU, layer, sums);
        break;
    case TL_SCAN_RANGE:
        scan_channels(TL_SCAN_RANGE, layer, sums);
        break;
    case TL_SCAN_MAX:
        scan_channels(TL_SCAN_MAX, layer, sums);
        break;
    }
}

static void store_pixel(const tl_layer *layer, const tl_inside *at, int32_t pixel)
{
    tl_dynamic_range *range = layer->range;
    const int32_t channels = layer->output_dims->c, done = pixel * channels;
    int32_t *sums = layer->sums + (layer->is_full ? done : 0);
    sum_pixel(layer, at, sums);
    scan_pixel(layer, sums);
    if (layer->output == NULL) {
        return;
    }
    if (layer->is_running && tl_dynamic_is_exceeded(range)) {
        const int32_t zero_point = range->zero_point;
        tl_dynamic_realign(range, tl_dynamic_grow(range), zero_point, layer->output, done);
    }
    tl_dynamic_requantize(range, sums, layer->output + done, channels, layer->is_relu);
}

static void convolve(const tl_layer *layer, const int8_t *input)
{
    const tl_depthwise_params *params = layer->params;
    const tl_dims *input_dims = layer->input_dims, *filter_dims = layer->filter_dims, *output_dims = layer->output_dims;
    int32_t pixel = 0;
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            for (int32_t x = 0; x < output_dims->w; x++) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t is_empty = rows.last <= rows.first || columns.last <= columns.first;
                const int32_t first_row = top + rows.first * params->dilation.h;
                const int32_t first = first_row * input_dims->w + left + columns.first * params->dilation.w;
                const tl_inside at = {input + (is_empty ? 0 : first * input_dims->c),
                                      rows,
                                      columns,
                                      rows.last - rows.first == filter_dims->h &&
                                          columns.last - columns.first == filter_dims->w};
                store_pixel(layer, &at, pixel++);
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
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
    const int32_t channels = output_dims->c;
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * channels;
    const int32_t without_zero[TL_SCALE_WORDS] = {input_scale[0], input_scale[1], 0};
    tl_depthwise_params own = *params;
    own.input_offset = -input_scale[2];
    int32_t *biases = (int32_t *)ctx->buf;
    int32_t *border_biases = dynamic->is_asymmetric ? biases + channels : biases;
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, input_scale, constants, channels, 0, biases);
    if (dynamic->is_asymmetric) {
        tl_dynamic_biases(dynamic, without_zero, constants, channels, 0, border_biases);
    }
    const int32_t is_full = dynamic->form == TL_DYNAMIC_FULL, is_running = dynamic->form == TL_DYNAMIC_RUNNING;
    tl_layer layer = {&own,
                      input_dims,
                      filter_dims,
                      output_dims,
                      filter,
                      biases,
                      border_biases,
                      constants,
                      tl_scan_kind_of(dynamic),
                      params->multiplier == 1 && channels % 4 == 0,
                      is_full,
                      border_biases + channels,
                      is_running ? output : NULL,
                      is_running,
                      dynamic->is_relu,
                      &range};
    convolve(&layer, input);
    if (!is_running) {
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
    }
    if (is_full) {
        tl_dynamic_requantize(&range, layer.sums, output, outputs, dynamic->is_relu);
    } else if (!is_running) {
        layer.output = output;
        convolve(&layer, input);
    }
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
