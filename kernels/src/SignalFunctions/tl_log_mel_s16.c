/* SPDX-License-Identifier: MIT
 * Refer to tl_audio.h. */
#include "tl_audio.h"
#include "tl_support.h"

/* Bits that the spectrum is brought to: the square of a magnitude then fits 31 bits. */
#define SPECTRUM_BITS 15

/* Shifts all values by one amount so that the largest has SPECTRUM_BITS bits; returns how far to the right. */
static int32_t normalise(int32_t *values, int32_t count)
{
    uint32_t any = 0;
    for (int32_t i = 0; i < count; ++i) {
        any |= (uint32_t)(values[i] ^ (values[i] >> 31));
    }
    int32_t bits = 0;
    for (; any != 0; any >>= 1) {
        ++bits;
    }
    const int32_t right = bits - SPECTRUM_BITS;
    for (int32_t i = 0; i < count; ++i) {
        values[i] = right >= 0 ? values[i] >> right : values[i] * (1 << -right);
    }
    return right;
}

static uint64_t energy(const int32_t *spectrum, const tl_mel_filter *filter, const int16_t *weights)
{
    uint64_t sum = 0;
    const int32_t *bin = spectrum + 2 * filter->first_bin;
    for (int32_t k = 0; k < filter->bins; ++k, bin += 2) {
        const uint32_t power = (uint32_t)(bin[0] * bin[0]) + (uint32_t)(bin[1] * bin[1]);
        sum += (uint64_t)power * (uint64_t)weights[k];
    }
    return sum;
}

void tl_log_mel_s16(const tl_log_mel_params *params, int32_t *scratch, const int16_t *samples, int32_t *output)
{
    const int32_t size = 1 << params->log2_size;
    for (int32_t i = 0; i < params->frame; ++i) {
        /* Q30 of full scale, less two bits of headroom for the transform */
        scratch[i] = samples[i] * params->window[i] >> 2;
    }
    for (int32_t i = params->frame; i < size; ++i) {
        scratch[i] = 0;
    }
    tl_rfft_q31(scratch, params->log2_size, params->twiddles, params->half_twiddles);
    const int32_t right = normalise(scratch, size + 2);
    const int16_t *weights = params->weights;
    for (int32_t m = 0; m < params->mels; ++m) {
        const uint64_t sum = energy(scratch, params->filters + m, weights);
        const int32_t level = sum == 0 ? params->floor : tl_log2_q10(sum) + 2 * 1024 * right;
        output[m] = tl_max(level, params->floor);
        weights += params->filters[m].bins;
    }
}
