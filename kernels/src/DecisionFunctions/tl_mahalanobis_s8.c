/* SPDX-License-Identifier: MIT
 * phi is whitened once; distances to all centres are then plain. Refer to tl_decision.h. */
#include "tl_decision.h"

int64_t tl_mahalanobis_s8(const tl_mahalanobis_params *params, const int8_t *phi, int32_t *scratch, int32_t *nearest)
{
    const int16_t *row = params->whitening;
    for (int32_t i = 0; i < params->size; row += ++i) {
        /* at most 256 * 255 * 2^15 < 2^31 */
        int32_t sum = 0;
        for (int32_t j = 0; j <= i; ++j) {
            sum += row[j] * (phi[j] + params->offset);
        }
        scratch[i] = sum >> params->shift;
    }
    int64_t least = INT64_MAX;
    const int32_t *centre = params->centres;
    for (int32_t c = 0; c < params->classes; ++c, centre += params->size) {
        int64_t distance = 0;
        for (int32_t i = 0; i < params->size; ++i) {
            const int64_t difference = (int64_t)scratch[i] - centre[i];
            /* Below 2^27 in magnitude, so that 256 squares stay below 2^62. */
            const int64_t limit = (int64_t)1 << 27;
            const int64_t bounded = difference > limit ? limit : difference < -limit ? -limit : difference;
            distance += bounded * bounded;
        }
        if (distance < least) {
            least = distance;
            *nearest = c;
        }
    }
    return least;
}
