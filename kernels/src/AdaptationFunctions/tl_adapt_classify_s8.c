/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"

/* 7 bits times 15 bits times 255 inputs stay below 2^30; more inputs saturate instead of wrapping. */
static int32_t sum_s8(const tl_adapt_layer *layer, const tl_adapt_layer_s8 *in, int32_t output, const int16_t *inputs)
{
    const int8_t *row = in->weights + output * layer->size;
    int64_t sum = in->bias[output];
    for (int32_t i = 0; i < layer->size; ++i) {
        sum += row[i] * inputs[i];
    }
    return (int32_t)(sum > INT32_MAX ? INT32_MAX : sum < -INT32_MAX ? -INT32_MAX : sum);
}

/* The int8 output in its calibrated scale. */
static int32_t static_output(const tl_adapt_calibration *calibration, int32_t output, int32_t sum)
{
    const int64_t product = (int64_t)sum * calibration->output_multiplier[output];
    const int32_t value = tl_adapt_scaled(product >> 1, 30 - calibration->output_shift[output]);
    return tl_clamp(tl_clamp(value, -1024, 1024) + calibration->output_zero_point, INT8_MIN, INT8_MAX);
}

static void hidden_layer(const tl_adapt_layer *layer,
                         const tl_adapt_layer_s8 *in,
                         const tl_adapt_calibration *calibration,
                         const int16_t *features,
                         int32_t *sums,
                         int16_t *hidden)
{
    uint32_t any = 0;
    for (int32_t i = 0; i < layer->outputs; ++i) {
        const int32_t sum = sum_s8(layer, in, i, features);
        sums[i] = layer->is_relu != 0 && sum < 0 ? 0 : sum;
        any |= (uint32_t)(sums[i] ^ (sums[i] >> 31));
    }
    const int32_t shift = tl_adapt_shift_to(any, 7);
    for (int32_t i = 0; i < layer->outputs; ++i) {
        int32_t value;
        if (calibration != NULL) {
            const int32_t zero = calibration->output_zero_point;
            const int32_t output = static_output(calibration, i, sums[i]);
            value = (output - zero) * TL_ADAPT_STEPS;
        } else {
            const int32_t mantissa = tl_clamp(tl_adapt_scaled(sums[i], shift), INT8_MIN, INT8_MAX);
            value = tl_adapt_scaled(mantissa, in->exponent - shift);
        }
        hidden[i] = (int16_t)tl_clamp(value, INT16_MIN, INT16_MAX);
    }
}

int32_t tl_adapt_classify_s8(const tl_adapt_params *params,
                             const tl_adapt_layer_s8 *layers,
                             const tl_adapt_calibration *calibration,
                             const int16_t *features,
                             int16_t *hidden,
                             int32_t *sums,
                             int32_t *scores)
{
    const tl_adapt_layer *layer = params->layers;
    if (params->layer_count > 1) {
        hidden_layer(layer, layers, calibration, features, sums, hidden);
        features = hidden;
        ++layer;
        ++layers;
        calibration = calibration == NULL ? NULL : calibration + 1;
    }
    int32_t best = 0;
    for (int32_t c = 0; c < layer->outputs; ++c) {
        const int32_t sum = sum_s8(layer, layers, c, features);
        scores[c] = calibration == NULL ? sum : static_output(calibration, c, sum);
        if (scores[c] > scores[best]) {
            best = c;
        }
    }
    return best;
}
