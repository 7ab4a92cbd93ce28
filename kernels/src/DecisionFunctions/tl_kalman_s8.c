/* SPDX-License-Identifier: MIT
 * Refer to tl_kalman.h. */
#include "tl_kalman.h"

/* So that a value times 2^8 fits int32. */
static int32_t whitened(const tl_kalman_params *params, const int16_t *row, int32_t i, const int8_t *phi)
{
    const int32_t limit = (1 << 22) - 1;
    int32_t sum = 0;
    for (int32_t j = 0; j <= i; ++j) {
        sum += row[j] * (phi[j] + params->offset);
    }
    sum >>= params->shift;
    return sum > limit ? limit : sum < -limit ? -limit : sum;
}

static int32_t squared_distance(const tl_kalman_params *params, const int32_t *mean, const int32_t *centre)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < params->size; ++i) {
        const int64_t difference = (int64_t)(mean[i] >> 8) - centre[i];
        const int64_t bounded = difference > 32768 ? 32768 : difference < -32768 ? -32768 : difference;
        sum += bounded * bounded;
    }
    return sum > (1 << 30) ? 1 << 30 : (int32_t)sum;
}

void tl_kalman_s8(const tl_kalman_params *params,
                  int32_t *mean,
                  uint16_t *variance,
                  int32_t *started,
                  const int8_t *phi,
                  int32_t *scores)
{
    const int16_t *row = params->whitening;
    for (int32_t i = 0; i < params->size; row += ++i) {
        const uint32_t sum = (uint32_t)variance[i] + params->drift[i];
        const uint32_t prior = *started == 0 ? 65535u : sum > 65535u ? 65535u : sum;
        if (phi == NULL) {
            variance[i] = (uint16_t)prior;
            continue;
        }
        const int32_t measured = whitened(params, row, i, phi) * 256;
        if (*started == 0) {
            mean[i] = measured;
            variance[i] = params->noise[i];
            continue;
        }
        /* Q15 below 1; both products stay below 2^31. */
        const uint32_t gain = (prior << 15) / (prior + params->noise[i]);
        const int64_t step = (int64_t)gain * ((int64_t)measured - mean[i]);
        mean[i] += (int32_t)((step + 16384) >> 15);
        variance[i] = (uint16_t)(prior - ((prior * gain + 16384u) >> 15));
    }
    if (phi == NULL) {
        return;
    }
    *started = 1;
    for (int32_t c = 0; c < params->classes; ++c) {
        scores[c] = -squared_distance(params, mean, params->centres + c * params->size);
    }
}
