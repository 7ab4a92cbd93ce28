/* SPDX-License-Identifier: MIT
 * DEPTHWISE_CONV_2D in float32, any multiplier. Four output channels at once: with multiplier 1 they read four neighbouring input channels,
 * otherwise the outputs of one input channel share its value. Neighbouring pixels that meet the same taps go in pairs: they share weights. */
#include "tl_float_support.h"

#define CHANNELS 4

/* One output pixel's window; strides in elements. */
typedef struct {
    const float *input;  /* channel 0 under the first tap */
    const float *filter; /* channel 0 of the first tap */
    const float *bias;
    const tl_activation_f32 *activation;
    int32_t rows;
    int32_t columns;
    int32_t input_row;
    int32_t input_column;
    int32_t filter_row;
    int32_t pixels;   /* 1 or 2 */
    int32_t pixel;    /* from the first to the second in the input */
    int32_t channels; /* C_OUT: also the filter's column stride */
} window;

/* Output channels [c, c + 4) of one pixel; their inputs are `step` (0 or 1) apart. */
TL_INLINE void one_pixel(const window *w, int32_t input_channel, int32_t step, int32_t c, float *output)
{
    float s0 = 0.0f;
    float s1 = 0.0f;
    float s2 = 0.0f;
    float s3 = 0.0f;
    for (int32_t row = 0; row < w->rows; ++row) {
        const float *x = w->input + row * w->input_row + input_channel;
        const float *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            s0 += x[0] * weights[0];
            s1 += x[step] * weights[1];
            s2 += x[2 * step] * weights[2];
            s3 += x[3 * step] * weights[3];
            x += w->input_column;
            weights += w->channels;
        }
    }
    const float sum[CHANNELS] = {s0, s1, s2, s3};
    tl_finish_4_f32(sum, w->bias != NULL ? w->bias + c : NULL, w->activation, output + c);
}

/* The same of two pixels. */
TL_INLINE void two_pixels(const window *w, int32_t input_channel, int32_t step, int32_t c, float *output)
{
    float s0 = 0.0f;
    float s1 = 0.0f;
    float s2 = 0.0f;
    float s3 = 0.0f;
    float s4 = 0.0f;
    float s5 = 0.0f;
    float s6 = 0.0f;
    float s7 = 0.0f;
    for (int32_t row = 0; row < w->rows; ++row) {
        const float *x = w->input + row * w->input_row + input_channel;
        const float *y = x + w->pixel;
        const float *weights = w->filter + row * w->filter_row + c;
        for (int32_t column = w->columns; column > 0; --column) {
            const float w0 = weights[0];
            const float w1 = weights[1];
            const float w2 = weights[2];
            const float w3 = weights[3];
            s0 += x[0] * w0;
            s1 += x[step] * w1;
            s2 += x[2 * step] * w2;
            s3 += x[3 * step] * w3;
            s4 += y[0] * w0;
            s5 += y[step] * w1;
            s6 += y[2 * step] * w2;
            s7 += y[3 * step] * w3;
            x += w->input_column;
            y += w->input_column;
            weights += w->channels;
        }
    }
    const float sum[2 * CHANNELS] = {s0, s1, s2, s3, s4, s5, s6, s7};
    const float *const bias = w->bias != NULL ? w->bias + c : NULL;
    tl_finish_4_f32(sum, bias, w->activation, output + c);
    tl_finish_4_f32(sum + CHANNELS, bias, w->activation, output + w->channels + c);
}

/* Output channel c of all pixels of the window. */
static void one_channel(const window *w, int32_t input_channel, int32_t c, float *output)
{
    for (int32_t pixel = 0; pixel < w->pixels; ++pixel) {
        float sum = 0.0f;
        for (int32_t row = 0; row < w->rows; ++row) {
            const float *x = w->input + pixel * w->pixel + row * w->input_row + input_channel;
            const float *weights = w->filter + row * w->filter_row + c;
            for (int32_t column = w->columns; column > 0; --column) {
                sum += *x * *weights;
                x += w->input_column;
                weights += w->channels;
            }
        }
        output[pixel * w->channels + c] = tl_clamp_f32(sum + (w->bias != NULL ? w->bias[c] : 0.0f), w->activation);
    }
}

static void multiplier_1(const window *w, float *output)
{
    int32_t c = 0;
    for (; c + CHANNELS <= w->channels; c += CHANNELS) {
        if (w->pixels == 2) {
            two_pixels(w, c, 1, c, output);
        } else {
            one_pixel(w, c, 1, c, output);
        }
    }
    for (; c < w->channels; ++c) {
        one_channel(w, c, c, output);
    }
}

static void any_multiplier(const window *w, int32_t multiplier, float *output)
{
    int32_t input_channel = 0;
    for (int32_t first = 0; first < w->channels; first += multiplier, ++input_channel) {
        const int32_t end = first + multiplier;
        int32_t c = first;
        for (; c + CHANNELS <= end; c += CHANNELS) {
            if (w->pixels == 2) {
                two_pixels(w, input_channel, 0, c, output);
            } else {
                one_pixel(w, input_channel, 0, c, output);
            }
        }
        for (; c < end; ++c) {
            one_channel(w, input_channel, c, output);
        }
    }
}

/* Refer header file for details. */
tl_status tl_depthwise_conv_f32(const tl_conv_params_f32 *params,
                                const tl_dims *input_dims,
                                const float *input,
                                const tl_dims *filter_dims,
                                const float *filter,
                                const float *bias,
                                const tl_dims *output_dims,
                                float *output)
{
    const int32_t multiplier = output_dims->c / input_dims->c;
    window w;

    w.bias = bias;
    w.activation = &params->activation;
    w.channels = output_dims->c;
    w.pixel = params->stride.w * input_dims->c;
    w.input_column = params->dilation.w * input_dims->c;
    w.input_row = params->dilation.h * input_dims->w * input_dims->c;
    w.filter_row = filter_dims->w * output_dims->c;
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int32_t top = y * params->stride.h - params->padding.h;
            const tl_taps rows = tl_taps_inside(top, filter_dims->h, params->dilation.h, input_dims->h);
            const int32_t in_y = top + rows.first * params->dilation.h;
            w.rows = rows.last - rows.first;
            for (int32_t x = 0; x < output_dims->w; x += w.pixels) {
                const int32_t left = x * params->stride.w - params->padding.w;
                const tl_taps columns = tl_taps_inside(left, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t in_x = left + columns.first * params->dilation.w;
                const tl_taps next = tl_taps_inside(left + params->stride.w, filter_dims->w, params->dilation.w, input_dims->w);
                const int32_t is_alike = columns.first == next.first && columns.last == next.last;
                w.pixels = is_alike && x + 1 < output_dims->w ? 2 : 1;
                w.columns = columns.last - columns.first;
                w.input = input + ((n * input_dims->h + in_y) * input_dims->w + in_x) * input_dims->c;
                w.filter = filter + rows.first * w.filter_row + columns.first * output_dims->c;
                if (multiplier == 1) {
                    multiplier_1(&w, output);
                } else {
                    any_multiplier(&w, multiplier, output);
                }
                output += w.pixels * output_dims->c;
            }
        }
    }
    return TL_OK;
}
