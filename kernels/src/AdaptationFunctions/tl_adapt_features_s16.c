/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"

void tl_adapt_features_s16(
    const int8_t *phi, int32_t count, const int32_t scale[3], const int32_t inverse[2], int16_t *features)
{
    const int32_t ratio = (int32_t)(((int64_t)scale[0] * inverse[0]) >> 31);
    const int32_t shift = 31 - scale[1] - inverse[1];
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = tl_adapt_scaled((int64_t)(phi[i] - scale[2]) * ratio, shift);
        features[i] = (int16_t)tl_clamp(value, INT16_MIN, INT16_MAX);
    }
}
