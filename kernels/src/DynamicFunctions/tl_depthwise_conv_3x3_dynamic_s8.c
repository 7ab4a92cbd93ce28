/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h, and to tl_depthwise_strip.h for the strip. */
#include "tl_depthwise_sums.h"
#include "tl_dynamic_support.h"

TL_INLINE int32_t strip_columns(int32_t stride, const tl_dims *output_dims)
{
    return stride == 2 ? tl_strip_columns_stride2(output_dims) : tl_strip_columns(output_dims);
}

int32_t
tl_depthwise_conv_3x3_dynamic_s8_get_buffer_size(tl_dynamic_form form, int32_t stride, const tl_dims *output_dims)
{
    const int32_t results = form == TL_DYNAMIC_RECOMPUTE ? 4 : 0;
    return strip_columns(stride, output_dims) * TL_STRIP_COLUMN_BYTES + 4 * output_dims->c + results;
}

typedef struct {
    const tl_plane *plane;
    const int32_t *biases;
    const int32_t *constants;
    tl_dynamic_lines lines;
    int16_t *strip;
    int8_t *output; /* first byte of the results */
    int32_t is_dry; /* results are thrown away */
    int32_t is_running;
    int32_t is_stride2;
    int32_t lines_at_once;
    tl_dynamic_range *range;
} tl_layer;

/* Where a unit of work stands: lines of one channel of one picture. */
typedef struct {
    int32_t base; /* first result of the picture */
    int32_t line;
    int32_t block;   /* first channel of four */
    int32_t channel; /* 0..3 */
} tl_unit;

/* Everything written before the unit: earlier pictures, and of this one whole blocks, and the current one down to here.
 */
static void realign(const tl_layer *layer, const tl_unit *unit, int32_t ratio, int32_t zero_point)
{
    const tl_plane *plane = layer->plane;
    tl_dynamic_realign(layer->range, ratio, zero_point, layer->output, unit->base);
    for (int32_t line = 0; line < plane->lines; line++) {
        const int32_t channels = line < unit->line                          ? unit->block + 4
                                 : line < unit->line + layer->lines_at_once ? unit->block + unit->channel
                                                                            : unit->block;
        int8_t *values = layer->output + unit->base + line * plane->output_line_step;
        for (int32_t x = 0; x < plane->run; x++) {
            tl_dynamic_realign(layer->range, ratio, zero_point, values, channels);
            values += plane->output_run_step;
        }
    }
}

static void store_lines(const tl_layer *layer, const tl_unit *unit, const int32_t *sums)
{
    const tl_plane *plane = layer->plane;
    tl_dynamic_range *range = layer->range;
    const int32_t c = unit->block + unit->channel;
    const int32_t bias = layer->biases[c];
    const int32_t multiplier = layer->constants[3 * unit->block + 8 + unit->channel];
    const int32_t step = layer->is_dry ? 0 : plane->output_run_step;
    const int32_t at = unit->base + unit->line * plane->output_line_step + c;
    int8_t *line_0 = layer->output + (layer->is_dry ? 0 : at);
    int8_t *line_1 = NULL;
    if (layer->lines_at_once == 2 && unit->line + 1 < plane->lines) {
        line_1 = line_0 + (layer->is_dry ? 0 : plane->output_line_step);
    }
    layer->lines(sums, plane->run, bias, multiplier, line_0, line_1, step, range);
    if (layer->is_running && tl_dynamic_is_exceeded(range)) {
        const int32_t zero_point = range->zero_point;
        realign(layer, unit, tl_dynamic_grow(range), zero_point);
        layer->lines(sums, plane->run, bias, multiplier, line_0, line_1, step, range);
    }
}

/* A function of its own: its registers are off the stack when lines are stored. */
static TL_NOINLINE void sum_channel(const tl_layer *layer, int16_t *strip, const int8_t *filter, int32_t *sums)
{
    if (layer->is_stride2) {
        tl_strip_sum_run_stride2(strip, layer->plane->columns, filter, 2, sums);
    } else {
        tl_strip_sum_run(strip, layer->plane->columns, filter, sums);
    }
}

static void convolve_four_channels(const tl_layer *layer, const int8_t *input, const int8_t *filter, tl_unit unit)
{
    const tl_plane *plane = layer->plane;
    int16_t *strip = layer->strip;
    int32_t *sums = tl_strip_sums(plane, strip);
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (; unit.line < plane->lines; unit.line += layer->lines_at_once) {
        const int32_t next = (layer->is_stride2 ? 2 * unit.line : unit.line) + 2 - plane->line_padding;
        tl_fill_pair(plane, input, next, strip + 2);
        for (unit.channel = 0; unit.channel < 4; unit.channel++) {
            sum_channel(layer, strip + 4 * unit.channel, filter + 12 * unit.channel, sums);
            store_lines(layer, &unit, sums + (layer->is_stride2 ? 2 : 4));
        }
    }
}

static void convolve(const tl_layer *layer,
                     const tl_dims *input_dims,
                     const int8_t *input,
                     const int8_t *filter,
                     const tl_dims *output_dims)
{
    tl_clear_strip(layer->plane, layer->strip);
    for (int32_t batch = 0; batch < output_dims->n; batch++) {
        for (int32_t c = 0; c < input_dims->c; c += 4) {
            const tl_unit unit = {batch * output_dims->h * output_dims->w * output_dims->c, 0, c, 0};
            convolve_four_channels(layer, input + c, filter + 12 * c, unit);
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

tl_status tl_depthwise_conv_3x3_dynamic_s8(const tl_context *ctx,
                                           const tl_depthwise_params *params,
                                           const tl_dynamic_params *dynamic,
                                           tl_dynamic_lines lines,
                                           const tl_dims *input_dims,
                                           const int8_t *input,
                                           const int8_t *filter,
                                           const int32_t *constants,
                                           const tl_dims *output_dims,
                                           int8_t *output,
                                           const int32_t *input_scale,
                                           int32_t *output_scale,
                                           int32_t *state)
{
    const int32_t is_stride2 = params->stride.h == 2;
    const int32_t columns = strip_columns(params->stride.h, output_dims);
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * output_dims->c;
    tl_depthwise_params own = *params;
    own.input_offset = -input_scale[2];
    const tl_plane plane = tl_plane_of(&own, input_dims, output_dims, columns);
    int16_t *strip = (int16_t *)ctx->buf;
    int32_t *biases = (int32_t *)(void *)((int8_t *)ctx->buf + columns * TL_STRIP_COLUMN_BYTES);
    int8_t *results = (int8_t *)(biases + output_dims->c);
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, input_scale, constants, output_dims->c, 0, biases);
    tl_layer layer = {&plane, biases, constants, lines, strip, output, 0, 0, is_stride2, 2 - is_stride2, &range};
    if (dynamic->form == TL_DYNAMIC_RECOMPUTE) {
        layer.output = results;
        layer.is_dry = 1;
        convolve(&layer, input_dims, input, filter, output_dims);
        tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
        layer.output = output;
        layer.is_dry = 0;
    } else {
        layer.is_running = 1;
    }
    convolve(&layer, input_dims, input, filter, output_dims);
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
