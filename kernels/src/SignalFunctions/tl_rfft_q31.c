/* SPDX-License-Identifier: MIT
 * Even samples are taken for real, odd ones for imaginary parts; the spectra of both are told apart by their symmetry. Refer to tl_audio.h. */
#include "tl_audio.h"
#include "tl_fft_support.h"

/* Bins k and half - k from z[k] and z[half - k]: even part (z + conj z') / 2, odd part (z - conj z') / 2i, bin = (even + w odd) / 2. */
static void split(int32_t *z, int32_t *mirror, int32_t w_re, int32_t w_im)
{
    const int32_t even_re = (z[0] + mirror[0]) >> 1;
    const int32_t even_im = (z[1] - mirror[1]) >> 1;
    const int32_t odd_re = (z[1] + mirror[1]) >> 1;
    const int32_t odd_im = (mirror[0] - z[0]) >> 1;
    const int32_t re = tl_mul_q31(odd_re, w_re) - tl_mul_q31(odd_im, w_im);
    const int32_t im = tl_mul_q31(odd_re, w_im) + tl_mul_q31(odd_im, w_re);
    z[0] = (even_re + re) >> 1;
    z[1] = (even_im + im) >> 1;
    mirror[0] = (even_re - re) >> 1;
    mirror[1] = (im - even_im) >> 1;
}

void tl_rfft_q31(int32_t *data, int32_t log2_size, const int32_t *twiddles, const int32_t *half_twiddles)
{
    const int32_t half = 1 << (log2_size - 1);
    tl_fft_q31(data, log2_size - 1, half_twiddles);
    data[2 * half] = (data[0] - data[1]) >> 1;
    data[2 * half + 1] = 0;
    data[0] = (data[0] + data[1]) >> 1;
    data[1] = 0;
    for (int32_t k = 1; k <= half / 2; ++k) {
        int32_t mirror[2] = {data[2 * (half - k)], data[2 * (half - k) + 1]};
        split(data + 2 * k, mirror, twiddles[2 * k], twiddles[2 * k + 1]);
        if (k != half - k) {
            data[2 * (half - k)] = mirror[0];
            data[2 * (half - k) + 1] = mirror[1];
        }
    }
}
