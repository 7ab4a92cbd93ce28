/* SPDX-License-Identifier: MIT
 * Refer to tl_audio.h. */
#include "tl_audio.h"
#include "tl_support.h"

void tl_dct_s16(const tl_dct_params *params, const int32_t *log_mel, int16_t *output)
{
    const int16_t *row = params->dct;
    for (int32_t c = 0; c < params->coefficients; ++c, row += params->mels) {
        /* Q25 to Q5 */
        int64_t sum = (int64_t)1 << 19;
        for (int32_t m = 0; m < params->mels; ++m) {
            sum += (int64_t)row[m] * log_mel[m];
        }
        output[c] = (int16_t)tl_clamp((int32_t)(sum >> 20), INT16_MIN, INT16_MAX);
    }
}
