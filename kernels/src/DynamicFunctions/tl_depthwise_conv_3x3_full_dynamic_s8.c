/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic.h, and to tl_depthwise_strip.h for the strip. Walks along the strip write their sums, without
 * biases, straight to the layer's results, where a channel lies in one piece: one multiplier aligns it, so that its
 * extremes are all that has to be aligned before the layer's range is known. */
#include "tl_depthwise_sums.h"
#include "tl_dynamic_support.h"

/* Sums that a walk writes in front of its first output, and behind its last one. */
#define LEAD 4
#define GAP 2

TL_INLINE int32_t strip_columns(int32_t stride, const tl_dims *output_dims)
{
    return stride == 2 ? tl_strip_columns_stride2(output_dims) : tl_strip_columns(output_dims);
}

int32_t tl_depthwise_conv_3x3_full_dynamic_s8_get_buffer_size(int32_t stride, const tl_dims *output_dims)
{
    const int32_t sums = output_dims->n * output_dims->c * (output_dims->h * output_dims->w + GAP);
    return strip_columns(stride, output_dims) * TL_STRIP_COLUMN_BYTES + 4 * (output_dims->c + LEAD + sums);
}

typedef struct {
    const tl_plane *plane;
    const tl_dims *output_dims;
    const int32_t *biases;
    const int32_t *constants;
    int32_t is_stride2;
    int32_t is_relu;
    int32_t channel_sums; /* of one channel, gap included */
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

/* The sums of a walk for two lines of a channel; what it writes in front of them is put back. A function of its own:
 * the loop takes all registers. */
static TL_NOINLINE void sum_two_lines(int16_t *strip, int32_t columns, const int8_t *filter, int32_t *sums)
{
    const int32_t before_0 = sums[-4], before_1 = sums[-3], before_2 = sums[-2], before_3 = sums[-1];
    tl_strip_sum_run(strip, columns, filter, sums - LEAD);
    sums[-4] = before_0, sums[-3] = before_1, sums[-2] = before_2, sums[-1] = before_3;
}

static TL_NOINLINE void sum_pair_of_lines(const tl_layer *layer, int16_t *strip, const int8_t *filter, int32_t *sums)
{
    for (int32_t c = 0; c < 4; c++) {
        sum_two_lines(strip + 4 * c, layer->plane->columns, filter + 12 * c, sums);
        sums += layer->channel_sums;
    }
}

/* A last single line: of each pair of sums the first. */
static TL_NOINLINE void sum_last_line(const tl_layer *layer, int16_t *strip, const int8_t *filter, int32_t *sums)
{
    const tl_plane *plane = layer->plane;
    int32_t *pairs = tl_strip_sums(plane, strip);
    for (int32_t c = 0; c < 4; c++) {
        sum_two_lines(strip + 4 * c, plane->columns, filter + 12 * c, pairs + LEAD);
        const int32_t *next = pairs + LEAD;
        int32_t x = 0;
        for (; x + 4 <= plane->run; x += 4) {
            const int32_t sum_0 = next[0], sum_1 = next[2], sum_2 = next[4], sum_3 = next[6];
            sums[x] = sum_0, sums[x + 1] = sum_1, sums[x + 2] = sum_2, sums[x + 3] = sum_3;
            next += 8;
        }
        for (; x < plane->run; x++) {
            sums[x] = *next;
            next += 2;
        }
        sums += layer->channel_sums;
    }
}

static TL_NOINLINE void sum_line_stride2(const tl_layer *layer, int16_t *strip, const int8_t *filter, int32_t *sums)
{
    for (int32_t c = 0; c < 4; c++) {
        const int32_t before = sums[-1];
        tl_strip_sum_run_stride2(strip + 4 * c, layer->plane->columns, filter + 12 * c, 1, sums - 1);
        sums[-1] = before;
        sums += layer->channel_sums;
    }
}

static void widen_range(const tl_layer *layer, int32_t c, const int32_t *sums)
{
    const tl_dynamic_channel channel = channel_of(layer, c);
    const int32_t bias = tl_wrap_shift_left(channel.bias, 8);
    tl_dynamic_range *range = layer->range;
    int32_t extremes[2] = {*sums, *sums};
    tl_dynamic_extremes(sums, layer->channel_sums - GAP, !layer->is_relu, extremes);
    for (int32_t i = layer->is_relu; i < 2; i++) {
        const int32_t shifted = tl_wrap_add(bias, tl_wrap_shift_left(extremes[i], 8));
        (void)tl_scan(layer->kind, tl_smmulr(shifted, channel.multiplier), &range->low, &range->high);
    }
}

static void
sum_four_channels(const tl_layer *layer, const int8_t *input, const int8_t *filter, int16_t *strip, int32_t *sums)
{
    const tl_plane *plane = layer->plane;
    tl_fill_pair(plane, input, -plane->line_padding, strip);
    for (int32_t line = 0; line < plane->lines;) {
        const int32_t next = (layer->is_stride2 ? 2 * line : line) + 2 - plane->line_padding;
        tl_fill_pair(plane, input, next, strip + 2);
        if (layer->is_stride2) {
            sum_line_stride2(layer, strip, filter, sums + line * plane->run);
            line += 1;
        } else if (line + 1 < plane->lines) {
            sum_pair_of_lines(layer, strip, filter, sums + line * plane->run);
            line += 2;
        } else {
            sum_last_line(layer, strip, filter, sums + line * plane->run);
            line += 1;
        }
    }
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
        for (int32_t block = 0; block < input_dims->c; block += 4) {
            sum_four_channels(layer, input + block, filter + 12 * block, strip, sums);
            for (int32_t c = block; c < block + 4; c++) {
                widen_range(layer, c, sums);
                sums += layer->channel_sums;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

static void requantize_all(const tl_layer *layer, const int32_t *sums, int8_t *output)
{
    const tl_dims *dims = layer->output_dims;
    const tl_plane *strip = layer->plane;
    const tl_dynamic_plane plane = {strip->run,
                                    strip->lines,
                                    layer->is_stride2 ? 1 : 2,
                                    strip->output_run_step,
                                    strip->output_line_step};
    for (int32_t batch = 0; batch < dims->n; batch++) {
        for (int32_t c = 0; c < dims->c; c++) {
            const tl_dynamic_channel channel = channel_of(layer, c);
            tl_dynamic_requantize_plane(layer->range, &channel, sums, &plane, output + c);
            sums += layer->channel_sums;
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
    int32_t *biases = (int32_t *)(void *)((int8_t *)ctx->buf + columns * TL_STRIP_COLUMN_BYTES);
    int32_t *sums = biases + output_dims->c + LEAD;
    tl_dynamic_range range;
    tl_dynamic_begin(&range, dynamic, input_scale, state);
    tl_dynamic_biases(dynamic, input_scale, constants, output_dims->c, 0, biases);
    const tl_scan_kind kind = tl_scan_kind_of(dynamic);
    const int32_t channel_sums = plane.run * plane.lines + GAP;
    const tl_layer layer =
        {&plane, output_dims, biases, constants, is_stride2, dynamic->is_relu, channel_sums, kind, &range};
    memset(sums - LEAD, 0, LEAD * sizeof(int32_t));
    sum_all(&layer, input, input_dims, filter, strip, sums);
    tl_dynamic_choose(&range, range.low, tl_min(range.high, range.upper));
    requantize_all(&layer, sums, output);
    tl_dynamic_end(&range, dynamic, output, outputs, output_scale, state);
    return TL_OK;
}
