/* SPDX-License-Identifier: MIT
 * Decimation in time, radix 2. Refer to tl_audio.h. */
#include "tl_audio.h"
#include "tl_fft_support.h"

static void reorder(int32_t *data, int32_t log2_size)
{
    for (uint32_t i = 0; i < 1U << log2_size; ++i) {
        const uint32_t j = tl_reversed_bits(i, log2_size);
        if (j > i) {
            for (uint32_t part = 0; part < 2; ++part) {
                const int32_t value = data[2 * i + part];
                data[2 * i + part] = data[2 * j + part];
                data[2 * j + part] = value;
            }
        }
    }
}

/* a and b become (a + w b) / 2 and (a - w b) / 2, halves rounded down. */
TL_INLINE void butterfly(int32_t *a, int32_t *b, int32_t w_re, int32_t w_im)
{
    const int32_t re = tl_mul_q31(b[0], w_re) - tl_mul_q31(b[1], w_im);
    const int32_t im = tl_mul_q31(b[0], w_im) + tl_mul_q31(b[1], w_re);
    b[0] = (a[0] - re) >> 1;
    b[1] = (a[1] - im) >> 1;
    a[0] = (a[0] + re) >> 1;
    a[1] = (a[1] + im) >> 1;
}

void tl_fft_q31(int32_t *data, int32_t log2_size, const int32_t *twiddles)
{
    const int32_t size = 1 << log2_size;
    reorder(data, log2_size);
    for (int32_t half = 1; half < size; half *= 2) {
        const int32_t step = size / (2 * half);
        for (int32_t k = 0; k < half; ++k) {
            const int32_t *w = twiddles + 2 * k * step;
            for (int32_t i = k; i < size; i += 2 * half) {
                butterfly(data + 2 * i, data + 2 * (i + half), w[0], w[1]);
            }
        }
    }
}
