/* SPDX-License-Identifier: MIT
 * Window sums for average pooling and mean. The DSP path adds eight channels per step into halfword lanes (SXTAB16) and
 * moves the lanes to 32 bits before they can overflow: 256 * -128 = -32768 still fits. */
#include "tl_pooling_support.h"
#include "tl_support_bytes.h"

#if defined(TL_USE_DSP)

#define PIXELS_PER_FLUSH 256

/* Lanes of a word of four channels: even holds channels 0 and 2, odd holds 1 and 3. */
TL_INLINE void flush(uint32_t even, uint32_t odd, int32_t *sums)
{
    sums[0] += (int16_t)(even & 0xFFFFU);
    sums[1] += (int16_t)(odd & 0xFFFFU);
    sums[2] += (int16_t)(even >> 16);
    sums[3] += (int16_t)(odd >> 16);
}

static void sum_eight_channels(const tl_window *window, const int8_t *input, int32_t *sums)
{
    const int32_t stride = window->pixel_stride;
    /* Rows that follow each other without a gap are one long row. */
    const int is_dense = window->row_stride == window->w * stride;
    const int32_t rows = is_dense ? 1 : window->h;
    const int32_t row_pixels = is_dense ? window->h * window->w : window->w;
    uint32_t even_0 = 0, odd_0 = 0, even_1 = 0, odd_1 = 0;
    int32_t room = PIXELS_PER_FLUSH;

    for (int32_t y = 0; y < rows; ++y) {
        const int8_t *pixel = input + y * window->row_stride;
        int32_t left = row_pixels;
        while (left > 0) {
            const int32_t run = tl_min(left, room);
            int32_t count = run;
            do {
                const uint32_t word_0 = tl_load_word(pixel);
                const uint32_t word_1 = tl_load_word(pixel + 4);
                pixel += stride;
                even_0 = tl_sxtab16(even_0, word_0);
                odd_0 = tl_sxtab16_ror8(odd_0, word_0);
                even_1 = tl_sxtab16(even_1, word_1);
                odd_1 = tl_sxtab16_ror8(odd_1, word_1);
            } while (--count != 0);
            left -= run;
            room -= run;
            if (room == 0) {
                flush(even_0, odd_0, sums);
                flush(even_1, odd_1, sums + 4);
                even_0 = odd_0 = even_1 = odd_1 = 0;
                room = PIXELS_PER_FLUSH;
            }
        }
    }
    flush(even_0, odd_0, sums);
    flush(even_1, odd_1, sums + 4);
}

#endif

/* Refer header file for details. */
void tl_window_sum_s8(const tl_window *window, const int8_t *input, int32_t channels, int32_t *sums)
{
    for (int32_t c = 0; c < channels; ++c) {
        sums[c] = 0;
    }
#if defined(TL_USE_DSP)
    if (channels == TL_WINDOW_CHANNELS) {
        sum_eight_channels(window, input, sums);
        return;
    }
#endif
    for (int32_t c = 0; c < channels; ++c) {
        int32_t sum = 0;
        for (int32_t y = 0; y < window->h; ++y) {
            const int8_t *pixel = input + y * window->row_stride + c;
            for (int32_t x = 0; x < window->w; ++x) {
                sum += *pixel;
                pixel += window->pixel_stride;
            }
        }
        sums[c] = sum;
    }
}
