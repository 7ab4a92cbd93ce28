/* SPDX-License-Identifier: MIT
 * Streams of int16 frames (one value per channel) cut into overlapping windows, and exact running statistics of them. Integer throughout,
 * bit-exact with firmware-gen/reference/signal. All state is the caller's. */
#ifndef TL_STREAM_H
#define TL_STREAM_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t channels; /* >= 1 */
    int32_t frames;   /* of one window, >= 1 */
    int32_t hop;      /* frames from one window to the next, >= 1; below `frames` windows overlap */
} tl_stream_params;

/** All zero, but until_due = frames: an empty stream. */
typedef struct {
    int32_t position;  /* frame of the ring that is written next */
    int32_t until_due; /* frames that are missing to the next window */
} tl_stream_state;

/**
 * Takes one frame. @param ring [frames, channels], the caller's. Returns 1 when a window is due: read it before the next push, else 0.
 */
int32_t tl_stream_push_s16(const tl_stream_params *params, tl_stream_state *state, int16_t *ring, const int16_t *frame);

/** The newest `frames` frames in time order. @param[out] window [frames, channels], not the ring */
void tl_stream_window_s16(const tl_stream_params *params,
                          const tl_stream_state *state,
                          const int16_t *ring,
                          int16_t *window);

/** Sums of one channel; all zero at the start. */
typedef struct {
    int64_t squares;
    int32_t sum;
    int32_t count; /* 0..65536 */
} tl_running_sums;

/**
 * Adds a frame to the sums of every channel and takes out one that leaves the window. @param outgoing NULL while the window grows. Exact:
 * nothing drifts, however long the stream.
 */
void tl_running_push_s16(int32_t channels, tl_running_sums *sums, const int16_t *incoming, const int16_t *outgoing);

/** Mean, rounded to nearest, halves towards +infinity. count >= 1 */
int32_t tl_running_mean_s16(const tl_running_sums *sums);

/** Variance (of the window, not of a population), rounded down. count >= 1 */
int32_t tl_running_variance_s16(const tl_running_sums *sums);

/** Statistics of each channel that tl_window_statistics_s16 writes. */
#define TL_WINDOW_STATISTICS 5

/**
 * What a window looks like without any network, by channel, exact sums of its `frames` values x:
 * [0] mean, rounded to nearest, halves towards +infinity;
 * [1] log2(frames^2 * (variance + floor^2)), [2] log2(sum of squared changes + frames * floor^2), [3] log2(sum of absolute changes + frames * floor),
 *     each in Q10 less 16 * 1024: at most 1.1 steps of 2^-10 below the exact logarithm (tl_log2_q10), at most INT16_MAX;
 * [4] share of frames at which x crosses its mean, Q15.
 * @param[in]  floors      counts, 1..1024, by channel: the sensor's noise, below which spread says nothing
 * @param[in]  window      [frames, channels]; frames 2..2048
 * @param[out] statistics  [channels, TL_WINDOW_STATISTICS]
 */
void tl_window_statistics_s16(
    int32_t channels, const uint16_t *floors, const int16_t *window, int32_t frames, int16_t *statistics);

/** Rational resampler by a polyphase filter. */
typedef struct {
    int32_t channels;
    int32_t up;          /* L of the output rate L/M times the input rate */
    int32_t down;        /* M */
    int32_t taps;        /* of each phase, >= 1 */
    const int16_t *filter; /* [up, taps] Q15, newest sample first; sum of magnitudes of a phase below 2 */
} tl_resample_params;

/** Writes as many frames as are due after this one: none to ceil(up / down). @param phase 0 at the start. @param history [taps, channels],
 * zero at the start. @return number of frames written to output */
int32_t tl_resample_push_s16(
    const tl_resample_params *params, int32_t *phase, int16_t *history, const int16_t *frame, int16_t *output);

#ifdef __cplusplus
}
#endif
#endif
