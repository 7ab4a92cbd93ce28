/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h. Two output pixels at a time, as in tl_columns.h. */
#include "tl_columns.h"
#include "tl_dynamic_support.h"

TL_INLINE int32_t row_length(const tl_dims *filter_dims)
{
    const int32_t length = filter_dims->w * filter_dims->c;
    return filter_dims->c % 4 == 0 ? length : (length + 1) & ~1;
}

TL_INLINE int32_t columns_bytes(const tl_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * tl_column_length(filter_dims->h, row_length(filter_dims));
}

int32_t
tl_convolve_dynamic_s8_get_buffer_size(tl_dynamic_form form, const tl_dims *filter_dims, const tl_dims *output_dims)
{
    const int32_t biases = 4 * ((output_dims->c + 3) & ~3);
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * output_dims->c;
    const int32_t results = form == TL_DYNAMIC_FULL        ? 4 * outputs
                            : form == TL_DYNAMIC_RECOMPUTE ? 2 * output_dims->c
                                                           : 0;
    return columns_bytes(filter_dims) + biases + results;
}

/* What becomes of results: sums; nothing but their range, both pixels go to output; values; values with a range that
 * grows. */
typedef enum { PASS_SUMS, PASS_DRY, PASS_VALUES, PASS_RUNNING } tl_pass;

/* What stays the same from pixel to pixel. */
typedef struct {
    const tl_window *window;
    const int8_t *filter;
    const int32_t *biases;
    const int32_t *constants;
    int16_t *columns;
    tl_dynamic_matmul matmul;
    const tl_dims *output_dims;
    int8_t *output; /* first byte of the results */
    tl_pass pass;
    tl_dynamic_range *range;
} tl_layer;

TL_INLINE void multiply_pair(const tl_layer *layer, int32_t pixel_0, int32_t pixel_1)
{
    tl_dynamic_range *range = layer->range;
    const int32_t channels = layer->output_dims->c;
    const int32_t pixel_bytes = layer->pass == PASS_SUMS ? channels * (int32_t)sizeof(int32_t) : channels;
    const int32_t is_dry = layer->pass == PASS_DRY;
    const int32_t pairs = tl_column_length(layer->window->filter_dims->h, layer->window->row_length) / 2;
    int8_t *first = layer->output + (is_dry ? 0 : pixel_0 * pixel_bytes);
    int8_t *second = is_dry ? layer->output + channels : layer->output + pixel_1 * pixel_bytes;
    int16_t *columns = layer->columns;
    layer->matmul(columns, pairs, layer->filter, layer->biases, layer->constants, channels, first, second, range);
    if (layer->pass == PASS_RUNNING && tl_dynamic_is_exceeded(range)) {
        const int32_t zero_point = range->zero_point;
        const int32_t ratio = tl_dynamic_grow(range);
        tl_dynamic_realign(range, ratio, zero_point, layer->output, (int32_t)(first - layer->output));
        layer->matmul(columns, pairs, layer->filter, layer->biases, layer->constants, channels, first, second, range);
    }
}

/* Window and order are what they are; a function of its own, so that its variables are off the stack while columns are
 * multiplied. */
static TL_NOINLINE void
fill_column(const tl_window *window, const int8_t *input, int32_t top, int32_t left, int32_t is_inside, int16_t *column)
{
    const int8_t *source = input + (top * window->input_dims->w + left) * window->input_dims->c;
    if (window->input_dims->c % 4 == 0) {
        if (is_inside && window->filter_dims->w == 1 && window->filter_dims->h == 1) {
            tl_widen_quads(source, window->input_dims->c / 4, column);
        } else if (is_inside) {
            tl_fill_inner_column(window, source, TL_ORDER_QUADS, column);
        } else {
            tl_fill_border_column(window, input, top, left, TL_ORDER_QUADS, column);
        }
    } else if (is_inside) {
        tl_fill_inner_column(window, source, TL_ORDER_NATURAL, column);
    } else {
        tl_fill_border_column(window, input, top, left, TL_ORDER_NATURAL, column);
    }
}

/* A last single pixel is multiplied beside itself, so that nothing stale widens the range. */
static TL_NOINLINE void double_column(int16_t *columns, int32_t length)
{
    for (int32_t i = 0; i < 2 * length; i += 4) {
        memcpy(columns + i + 2, columns + i, 2 * sizeof(int16_t));
    }
}

/* A window of one tap with stride 1: two input pixels are two columns. */
static void convolve_pointwise(const tl_layer *layer, const int8_t *input)
{
    const tl_dims *dims = layer->output_dims;
    const int32_t depth = layer->window->input_dims->c;
    const int32_t last = dims->n * dims->h * dims->w - 1;
    for (int32_t pixel = 0; pixel <= last; pixel += 2) {
        /* A last single pixel is multiplied beside itself. */
        const int32_t second = tl_min(pixel + 1, last);
        tl_widen_two_pixels(input, input + (second - pixel) * depth, depth / 4, layer->columns);
        multiply_pair(layer, pixel, second);
        input += 2 * depth;
    }
}

static void convolve_windows(const tl_layer *layer, const int8_t *input)
{
    const tl_window *window = layer->window;
    const tl_conv_params *params = window->params;
    const tl_dims *output_dims = layer->output_dims;
    /* Largest places of a window inside the input; none if it is dilated across. */
    const int32_t top_max = window->input_dims->h - 1 - (window->filter_dims->h - 1) * params->dilation.h;
    const int32_t left_max = params->dilation.w == 1 ? window->input_dims->w - window->filter_dims->w : -1;
    const int32_t last = output_dims->n * output_dims->h * output_dims->w - 1;
    int32_t top = -params->padding.h, left = -params->padding.w;
    int32_t left_in_row = output_dims->w, left_in_picture = output_dims->h * output_dims->w;
    for (int32_t pixel = 0; pixel <= last; pixel++) {
        const int32_t is_inside = top >= 0 && top <= top_max && left >= 0 && left <= left_max;
        fill_column(window, input, top, left, is_inside, layer->columns + 2 * (pixel & 1));
        if (pixel == last && (pixel & 1) == 0) {
            double_column(layer->columns, tl_column_length(window->filter_dims->h, window->row_length));
        }
        if (pixel == last || (pixel & 1) != 0) {
            multiply_pair(layer, pixel & ~1, pixel);
        }
        left += params->stride.w;
        if (--left_in_row == 0) {
            left_in_row = output_dims->w;
            left = -params->padding.w;
            top += params->stride.h;
        }
        if (--left_in_picture == 0) {
            left_in_picture = output_dims->h * output_dims->w;
            top = -params->padding.h;
            input += window->input_dims->h * window->input_dims->w * window->input_dims->c;
        }
    }
}

static void convolve(const tl_layer *layer, const int8_t *input)
{
    const tl_dims *filter_dims = layer->window->filter_dims;
    const tl_conv_params *params = layer->window->params;
    const int32_t is_single = filter_dims->h == 1 && filter_dims->w == 1 && filter_dims->c % 4 == 0;
    if (is_single && params->stride.h == 1 && params->stride.w == 1) {
        convolve_pointwise(layer, input);
    } else {
        convolve_windows(layer, input);
    }
}

tl_status tl_convolve_dynamic_s8(const tl_context *ctx,
                                 const tl_conv_params *params,
                                 const tl_dynamic_params *dynamic,
                                 tl_dynamic_matmul matmul,
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
    const int32_t padded_channels = (output_dims->c + 3) & ~3;
    tl_conv_params own = *params;
    own.input_offset = -input_scale[2];
    const tl_window window = {&own, input_dims, filter_dims, row_length(filter_dims)};
    int16_t *columns = (int16_t *)ctx->buf;
    int32_t *biases = (int32_t *)(void *)((int8_t *)ctx->buf + columns_bytes(filter_dims));
    int8_t *results = (int8_t *)(biases + padded_channels);
    tl_dynamic_range range;
    /* Filling elements have weight 0, but they have to be something. */
    memset(columns, 0, (size_t)columns_bytes(filter_dims));
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, input_scale, constants, padded_channels, 1, biases);
    tl_layer layer = {&window, filter, biases, constants, columns, matmul, output_dims, output, PASS_VALUES, &range};
    switch (dynamic->form) {
    case TL_DYNAMIC_FULL:
        layer.output = results;
        layer.pass = PASS_SUMS;
        convolve(&layer, input);
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
        tl_dynamic_requantize(&range, (const int32_t *)(const void *)results, output, outputs, dynamic->is_relu);
        break;
    case TL_DYNAMIC_RECOMPUTE:
        layer.output = results;
        layer.pass = PASS_DRY;
        convolve(&layer, input);
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
        layer.output = output;
        layer.pass = PASS_VALUES;
        convolve(&layer, input);
        break;
    case TL_DYNAMIC_RUNNING:
        layer.pass = PASS_RUNNING;
        convolve(&layer, input);
        break;
    }
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
