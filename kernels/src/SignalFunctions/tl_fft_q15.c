/* SPDX-License-Identifier: MIT
 * Decimation in time, radix 2. Refer to tl_audio.h. */
#include "tl_audio.h"
#include "tl_fft_support.h"

static void reorder(int16_t *data, int32_t log2_size)
{
    for (uint32_t i = 0; i < 1U << log2_size; ++i) {
        const uint32_t j = tl_reversed_bits(i, log2_size);
        if (j > i) {
            const uint32_t word = tl_load_word(data + 2 * i);
            tl_store_word(data + 2 * i, tl_load_word(data + 2 * j));
            tl_store_word(data + 2 * j, word);
        }
    }
}

/* a and b become (a + w b) / 2 and (a - w b) / 2, rounded once. */
TL_INLINE void butterfly(int16_t *a, int16_t *b, const int16_t *w)
{
    const int32_t re = b[0] * w[0] - b[1] * w[1];
    const int32_t im = b[0] * w[1] + b[1] * w[0];
    const int32_t a_re = a[0] * 32768 + 32768;
    const int32_t a_im = a[1] * 32768 + 32768;
    a[0] = (int16_t)((a_re + re) >> 16);
    a[1] = (int16_t)((a_im + im) >> 16);
    b[0] = (int16_t)((a_re - re) >> 16);
    b[1] = (int16_t)((a_im - im) >> 16);
}

void tl_fft_q15(int16_t *data, int32_t log2_size, const int16_t *twiddles)
{
    const int32_t size = 1 << log2_size;
    reorder(data, log2_size);
    for (int32_t half = 1; half < size; half *= 2) {
        const int32_t step = size / (2 * half);
        for (int32_t k = 0; k < half; ++k) {
            for (int32_t i = k; i < size; i += 2 * half) {
                butterfly(data + 2 * i, data + 2 * (i + half), twiddles + 2 * k * step);
            }
        }
    }
}
