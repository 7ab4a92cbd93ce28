/* SPDX-License-Identifier: MIT
 * Whitened once; a sum that has reached the least so far is not finished. Refer to tl_decision.h. */
#include "tl_decision.h"
#include "tl_support.h"

int32_t tl_nearest_prototype_s16(const tl_prototypes_params *params,
                                 const int16_t *features,
                                 int16_t *scratch,
                                 int32_t *label)
{
    const int16_t *row = params->whitening;
    for (int32_t i = 0; i < params->size; row += ++i) {
        int64_t sum = 0;
        for (int32_t j = 0; j <= i; ++j) {
            sum += row[j] * features[j];
        }
        const int64_t whitened = sum >> params->shift;
        scratch[i] = (int16_t)(whitened > 16383 ? 16383 : whitened < -16383 ? -16383 : whitened);
    }
    uint32_t least = INT32_MAX;
    *label = params->labels[0];
    const int16_t *centre = params->centres;
    for (int32_t p = 0; p < params->count; ++p, centre += params->size) {
        /* Squares are below 2^30 and `least` below 2^31: no sum reaches 2^32. */
        uint32_t distance = 0;
        for (int32_t i = 0; i < params->size && distance < least; ++i) {
            const int32_t difference = scratch[i] - centre[i];
            distance += (uint32_t)(difference * difference);
        }
        if (distance < least) {
            least = distance;
            *label = params->labels[p];
        }
    }
    return (int32_t)least;
}
