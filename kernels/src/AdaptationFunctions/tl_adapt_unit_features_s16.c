/* SPDX-License-Identifier: MIT
 * Refer to tl_adaptation.h. */
#include "tl_adaptation_support.h"
#include "tl_decision_support.h"

void tl_adapt_unit_features_s16(const int8_t *phi, int32_t count, int32_t offset, int16_t *features)
{
    int32_t squares = 0;
    for (int32_t i = 0; i < count; ++i) {
        squares += (phi[i] + offset) * (phi[i] + offset);
    }
    const int32_t ratio = (TL_ADAPT_UNIT_LENGTH << 16) / tl_feature_norm(squares);
    for (int32_t i = 0; i < count; ++i) {
        /* |value| <= the root: the product is at most 2^28. */
        features[i] = (int16_t)(((phi[i] + offset) * ratio + (1 << 15)) >> 16);
    }
}
