/* SPDX-License-Identifier: MIT
 * Refer to tl_stream.h. */
#include "tl_audio.h"
#include "tl_stream.h"
#include "tl_support.h"

/* log2 in Q10 about 2^16, so that it fits int16. */
static int16_t centred_log2(uint64_t value)
{
    return (int16_t)tl_min(tl_log2_q10(value) - 16 * 1024, INT16_MAX);
}

/* Steps from one side of the mean to the other; a value at the mean is below it. */
static int32_t mean_crossings(const int16_t *input, int32_t stride, int32_t frames, int32_t sum)
{
    int32_t crossings = 0;
    int32_t above = *input * frames > sum;
    for (int32_t i = 1; i < frames; ++i) {
        input += stride;
        const int32_t now = *input * frames > sum;
        crossings += now ^ above;
        above = now;
    }
    return crossings;
}

void tl_window_statistics_s16(
    int32_t channels, const uint16_t *floors, const int16_t *window, int32_t frames, int16_t *statistics)
{
    for (int32_t c = 0; c < channels; ++c, statistics += TL_WINDOW_STATISTICS) {
        const int16_t *input = window + c;
        int32_t sum = *input;
        uint64_t squares = (uint64_t)(*input * *input);
        uint64_t changes = 0;
        uint32_t moves = 0;
        int32_t last = *input;
        for (int32_t i = 1; i < frames; ++i) {
            input += channels;
            const int32_t value = *input;
            const uint32_t move = (uint32_t)(value < last ? last - value : value - last);
            sum += value;
            squares += (uint32_t)(value * value);
            changes += (uint64_t)move * move;
            moves += move;
            last = value;
        }
        const uint64_t count = (uint64_t)frames;
        const uint64_t noise = (uint64_t)floors[c] * floors[c];
        const int32_t doubled = 2 * sum + frames;
        /* C truncates: one less where that rounded up. */
        statistics[0] = (int16_t)(doubled / (2 * frames) - (doubled % (2 * frames) < 0 ? 1 : 0));
        statistics[1] = centred_log2(count * squares - (uint64_t)((int64_t)sum * sum) + count * count * noise);
        statistics[2] = centred_log2(changes + count * noise);
        statistics[3] = centred_log2(moves + count * floors[c]);
        statistics[4] = (int16_t)(32768 * mean_crossings(window + c, channels, frames, sum) / frames);
    }
}
