/* SPDX-License-Identifier: MIT
 * Audio front end in fixed point: FFT, log-mel energies, cepstral coefficients. Bit-exact with firmware-gen/reference/signal; the tables come
 * from there. Complex values are pairs {re, im}. */
#ifndef TL_AUDIO_H
#define TL_AUDIO_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * In-place FFT of 2^log2_size complex values, halved at each of its stages: the result is the transform divided by the size.
 * @param[in,out] data      |re|, |im| <= 2^14
 * @param[in]     twiddles  2^(log2_size - 1) pairs {cos, -sin} of 2 pi k / size, Q15
 */
void tl_fft_q15(int16_t *data, int32_t log2_size, const int16_t *twiddles);

/** The same with |re|, |im| <= 2^29 and twiddles in Q31. */
void tl_fft_q31(int32_t *data, int32_t log2_size, const int32_t *twiddles);

/**
 * FFT of 2^log2_size real values, as one of half the size. The result is the transform divided by the size.
 * @param[in,out] data      in: real values, |x| <= 2^29; out: size / 2 + 1 pairs, bins 0 to size / 2; room for size + 2 values
 * @param[in]     twiddles  size / 2 pairs for the whole size, Q31
 * @param[in]     half_twiddles  size / 4 pairs for half the size, Q31
 */
void tl_rfft_q31(int32_t *data, int32_t log2_size, const int32_t *twiddles, const int32_t *half_twiddles);

/** round(2^10 * log2(value)), error below 2^-10; value >= 1. */
int32_t tl_log2_q10(uint64_t value);

/** Triangular filters over bins of the spectrum, stored back to back. */
typedef struct {
    int32_t first_bin;
    int32_t bins;
} tl_mel_filter;

typedef struct {
    int32_t frame;      /* samples of a frame, <= 2^log2_size */
    int32_t log2_size;  /* of the FFT, 3..11 */
    int32_t mels;
    int32_t floor;      /* log energies are not below this, Q10 */
    const int16_t *window;          /* [frame] Q15 */
    const int32_t *twiddles;        /* as tl_rfft_q31 */
    const int32_t *half_twiddles;
    const tl_mel_filter *filters;   /* [mels] */
    const int16_t *weights;         /* of all filters, Q12, 0..4096 */
} tl_log_mel_params;

/**
 * log2 of the energy in each mel filter, Q10.
 * @param[in]  scratch  2^log2_size + 2 int32
 * @param[in]  samples  [frame]
 * @param[out] output   [mels]
 */
void tl_log_mel_s16(const tl_log_mel_params *params, int32_t *scratch, const int16_t *samples, int32_t *output);

typedef struct {
    int32_t mels;
    int32_t coefficients;
    const int16_t *dct; /* [coefficients, mels] Q15 */
} tl_dct_params;

/** Cepstral coefficients of log energies in Q10: dct * log_mel as int16 Q5, rounded, saturated. In Q5 as the first one is
 * sqrt(mels) times the mean log energy: up to 64 * sqrt(mels). */
void tl_dct_s16(const tl_dct_params *params, const int32_t *log_mel, int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
