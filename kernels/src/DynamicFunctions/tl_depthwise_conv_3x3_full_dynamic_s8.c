/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h, and to tl_depthwise_strip.h for the strip. Walks along the strip write their sums, without
 * biases, straight to the layer's results, one run behind the other: a channel's sums are aligned by one multiplier, so
 * that the extremes of a run are all that has to be aligned before the layer's range is known. */
#include "tl_depthwise_sums.h"
#include "tl_dynamic_support.h"

/* Sums that a walk writes in front of its first output. */
#define LEAD 4

TL_INLINE int32_t strip_columns(int32_t stride, const tl_dims *output_dims)
{
    return stride == 2 ? tl_strip_columns_stride2(output_dims) : tl_strip_columns(output_dims);
}

int32_t tl_depthwise_conv_3x3_full_dynamic_s8_get_buffer_size(int32_t stride, const tl_dims *output_dims)
{
    const int32_t outputs = output_dims->n * output_dims->h * output_dims->w * output_dims->c;
    const int32_t columns = strip_columns(stride, output_dims);
    /* Behind the last output: the second line of a walk that has only one, and a filling column. */
    const int32_t behind = stride == 2 ? 0 : tl_max(output_dims->h, output_dims->w) + 2;
    return columns * TL_STRIP_COLUMN * (int32_t)sizeof(int16_t) + 4 * (output_dims->c + LEAD + outputs + behind);
}

typedef struct {
    const tl_plane *plane;
    const tl_dims *output_dims;
    const int32_t *biases;
    const int32_t *constants;
    int32_t is_stride2;
    int32_t lines_at_once;
    int32_t is_relu;
    tl_scan_kind kind;
    tl_dynamic_range *range;
} tl_layer;

TL_INLINE tl_dynamic_channel channel_of(const tl_layer *layer, int32_t c)
{
    const tl_dynamic_channel channel = {layer->biases[c],
                                        layer->constants[12 * (c >> 2) + 8 + (c & 3)],
                                        layer->is_relu};
    return channel;
}

/* First sums of each pair, behind each other. */
static void close_ranks(int32_t *sums, int32_t count)
{
    const int32_t *next = sums;
    for (; count >= 4; count -= 4) {
        const int32_t sum_0 = next[0], sum_1 = next[2], sum_2 = next[4], sum_3 = next[6];
        sums[0] = sum_0, sums[1] = sum_1, sums[2] = sum_2, sums[3] = sum_3;
        sums += 4;
        next += 8;
    }
    for (; count > 0; count--) {
        *sums++ = *next;
        next += 2;
    }
}

/* The `count` sums of one or two lines of a channel. */
static TL_NOINLINE void
sum_channel(const tl_layer *layer, int16_t *strip, const int8_t *filter, int32_t is_pair, int32_t *sums)
{
    const int32_t before[LEAD] = {sums[-4], sums[-3], sums[-2], sums[-1]};
    if (layer->is_stride2) {
        tl_strip_sum_run_stride2(strip, layer->plane->columns, filter, 1, sums - 1);
    } else {
        tl_strip_sum_run(strip, layer->plane->columns, filter, sums - LEAD);
        if (!is_pair) {
            close_ranks(sums, layer->plane->run);
        }
    }
    memcpy(sums - LEAD, before, sizeof(before));
}

static void widen_range(const tl_layer *layer, int32_t c, const int32_t *sums, int32_t count)
{
    const tl_dynamic_channel channel = channel_of(layer, c);
    const int32_t bias = tl_wrap_shift_left(channel.bias, 8);
    tl_dynamic_range *range = layer->range;
    int32_t extremes[2] = {*sums, *sums};
    tl_dynamic_extremes(sums, count, !layer->is_relu, extremes);
    for (int32_t i = layer->is_relu; i < 2; i++) {
        const int32_t shifted = tl_wrap_add(bias, tl_wrap_shift_left(extremes[i], 8));
        (void)tl_scan(layer->kind, tl_smmulr(shifted, channel.multiplier), &range->low, &range->high);
    }
}

/* Four channels of a picture. @return behind their sums */
static int32_t *sum_four_channels(
    const tl_layer *layer, const int8_t *input, const int8_t *filter, int32_t block, int16_t *strip, int32_t *sums)
{
    const tl_plane *plane = layer->plane;
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines; line += layer->lines_at_once) {
        const int32_t is_pair = !layer->is_stride2 && line + 1 < plane->lines;
        const int32_t count = is_pair ? 2 * plane->run : plane->run;
        tl_fill_pair(plane, input, (layer->is_stride2 ? 2 * line : line) + 2 - plane->line_padding, strip + 2);
        for (int32_t c = 0; c < 4; c++) {
            sum_channel(layer, strip + 4 * c, filter + 12 * c, is_pair, sums);
            widen_range(layer, block + c, sums, count);
            sums += count;
        }
    }
    return sums;
}

/* The same walk over the sums. */
static const int32_t *
requantize_four_channels(const tl_layer *layer, const int32_t *sums, int32_t block, int8_t *output)
{
    const tl_plane *plane = layer->plane;
    const int32_t line_step = plane->output_line_step;
    for (int32_t line = 0; line < plane->lines; line += layer->lines_at_once) {
        const int32_t is_pair = !layer->is_stride2 && line + 1 < plane->lines;
        for (int32_t c = 0; c < 4; c++) {
            const tl_dynamic_channel channel = channel_of(layer, block + c);
            int8_t *line_0 = output + line * line_step + c;
            int8_t *line_1 = is_pair ? line_0 + line_step : NULL;
            tl_dynamic_requantize_lines(layer->range,
                                        &channel,
                                        sums,
                                        plane->run,
                                        line_0,
                                        line_1,
                                        plane->output_run_step);
            sums += is_pair ? 2 * plane->run : plane->run;
        }
    }
    return sums;
}

static void sum_all(const tl_layer *layer,
                    const int8_t *input,
                    const tl_dims *input_dims,
                    const int8_t *filter,
                    int16_t *strip,
                    int32_t *sums)
{
    tl_clear_strip(layer->plane, strip);
    for (int32_t batch = 0; batch < input_dims->n; batch++) {
        for (int32_t c = 0; c < input_dims->c; c += 4) {
            sums = sum_four_channels(layer, input + c, filter + 12 * c, c, strip, sums);
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

static void requantize_all(const tl_layer *layer, const int32_t *sums, int8_t *output)
{
    const tl_dims *dims = layer->output_dims;
    for (int32_t batch = 0; batch < dims->n; batch++) {
        for (int32_t c = 0; c < dims->c; c += 4) {
            sums = requantize_four_channels(layer, sums, c, output + c);
        }
        output += dims->h * dims->w * dims->c;
    }
}

tl_status tl_depthwise_conv_3x3_full_dynamic_s8(const tl_context *ctx,
                                                const tl_depthwise_params *params,
                                                const tl_dynamic_params *dynamic,
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
    int32_t *biases = (int32_t *)(void *)(strip + columns * TL_STRIP_COLUMN);
    int32_t *sums = biases + output_dims->c + LEAD;
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, input_scale, constants, output_dims->c, 0, biases);
    const tl_scan_kind kind = tl_scan_kind_of(dynamic);
    const tl_layer layer =
        {&plane, output_dims, biases, constants, is_stride2, 2 - is_stride2, dynamic->is_relu, kind, &range};
    memset(sums - LEAD, 0, LEAD * sizeof(int32_t));
    sum_all(&layer, input, input_dims, filter, strip, sums);
    tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
    requantize_all(&layer, sums, output);
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
