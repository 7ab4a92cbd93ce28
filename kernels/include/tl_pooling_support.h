/* SPDX-License-Identifier: MIT
 * What the pooling kernels share; not called by generated code. */
#ifndef TL_POOLING_SUPPORT_H
#define TL_POOLING_SUPPORT_H

#include "tl_pooling.h"
#include "tl_support.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Channels that tl_window_sum_s8 sums at once. */
#define TL_WINDOW_CHANNELS 8

/** A window of pixels within a tensor; strides in bytes. */
typedef struct {
    int32_t h;
    int32_t w;
    int32_t row_stride;
    int32_t pixel_stride;
} tl_window;

/**
 * Sums a window, channel by channel.
 * @param[in]  window
 * @param[in]  input     first channel of the first pixel
 * @param[in]  channels  [1, TL_WINDOW_CHANNELS]; the full number takes the fast path
 * @param[out] sums      [channels], exact while the window holds at most 2^24 pixels
 */
void tl_window_sum_s8(const tl_window *window, const int8_t *input, int32_t channels, int32_t *sums);

/** The part of one output pixel's window that lies inside the input: rows [y, y + h), columns [x, x + w). */
typedef struct {
    int32_t y;
    int32_t x;
    int32_t h;
    int32_t w;
} tl_pool_region;

TL_INLINE tl_pool_region tl_pool_region_of(const tl_pool_params *params,
                                           const tl_dims *input,
                                           int32_t output_y,
                                           int32_t output_x)
{
    const int32_t top = output_y * params->stride.h - params->padding.h;
    const int32_t left = output_x * params->stride.w - params->padding.w;
    tl_pool_region region;
    region.y = tl_max(top, 0);
    region.x = tl_max(left, 0);
    region.h = tl_min(top + params->filter.h, input->h) - region.y;
    region.w = tl_min(left + params->filter.w, input->w) - region.x;
    return region;
}

/**
 * First channel of the block after `channel`. The last full block overlaps the one before, so that no channel is left
 * to a slower loop; recomputing a few is harmless because input and output do not overlap.
 */
TL_INLINE int32_t tl_next_block(int32_t channel, int32_t block, int32_t channels)
{
    const int32_t next = channel + block;
    return next < channels && next + block > channels && channels >= block ? channels - block : next;
}

#ifdef __cplusplus
}
#endif
#endif
