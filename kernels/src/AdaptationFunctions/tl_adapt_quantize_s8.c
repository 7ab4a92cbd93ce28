/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"

void tl_adapt_quantize_s8(const tl_adapt_layer *layer,
                          const tl_adapt_weights *weights,
                          const tl_adapt_calibration *calibration,
                          tl_adapt_layer_s8 *result)
{
    const int32_t size = layer->size;
    int32_t shift = 0;
    if (calibration == NULL) {
        uint32_t any = 0;
        for (int32_t i = 0; i < layer->outputs * (size + 1); ++i) {
            /* Biases keep their bits in 32. */
            const int32_t value = i % (size + 1) == size ? 0 : weights->weights[i];
            any |= (uint32_t)(value ^ (value >> 31));
        }
        shift = tl_adapt_shift_to(any, 7);
    }
    result->exponent = weights->exponent - shift;
    for (int32_t c = 0; c < layer->outputs; ++c) {
        const int16_t *row = weights->weights + c * (size + 1);
        const int64_t factor = calibration == NULL ? 1 : calibration->weight_multiplier[c];
        const int32_t places = calibration == NULL ? shift : 31 + weights->exponent - calibration->weight_shift[c];
        for (int32_t i = 0; i < size; ++i) {
            result->weights[c * size + i] =
                (int8_t)tl_clamp(tl_adapt_scaled(row[i] * factor, places), INT8_MIN, INT8_MAX);
        }
        /* 2^30 leaves room for the sums. */
        const int32_t bias = tl_adapt_scaled(row[size] * (factor * TL_ADAPT_BIAS_INPUT), places);
        result->bias[c] = tl_clamp(bias, -(1 << 30), 1 << 30);
    }
}
