/* SPDX-License-Identifier: MIT
 * How convolution kernels walk the part of a window that lies inside the input; not called by generated code. Counts in elements.
 * Filter rows are contiguous in [C_OUT, H, W, C_GROUP] and, without column dilation and groups, so is the input under them: then a filter
 * row is one run, otherwise every tap is. */
#ifndef TL_WALK_H
#define TL_WALK_H

#include "tl_support.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The taps [first, last) of a filter that meet the input. Empty: last <= first. */
typedef struct {
    int32_t first;
    int32_t last;
} tl_taps;

/** origin: input index of tap 0, may be negative; extents and dilation >= 1. */
TL_INLINE tl_taps tl_taps_inside(int32_t origin, int32_t filter_extent, int32_t dilation, int32_t input_extent)
{
    tl_taps taps;
    if (dilation == 1) {
        taps.first = tl_max(-origin, 0);
        taps.last = tl_min(filter_extent, tl_max(input_extent - origin, 0));
        return taps;
    }
    taps.first = origin < 0 ? (-origin + dilation - 1) / dilation : 0;
    taps.last = origin < input_extent ? tl_min(filter_extent, (input_extent - origin + dilation - 1) / dilation) : 0;
    return taps;
}

typedef struct {
    int32_t rows;          /* filter rows inside, may be <= 0 */
    int32_t runs;          /* contiguous runs per filter row, may be <= 0 */
    int32_t run_length;    /* elements of a run */
    int32_t input_run;     /* from run to run in the input; in the filter it is run_length */
    int32_t input_row;     /* from filter row to filter row in the input */
    int32_t filter_row;    /* the same in the filter */
    int32_t filter_size;   /* from output channel to output channel in the filter */
    int32_t filter_offset; /* first tap inside, of output channel 0 */
} tl_walk;

TL_INLINE tl_walk tl_walk_of(tl_taps rows, tl_taps columns, const tl_tile *dilation, const tl_dims *input, const tl_dims *filter)
{
    const int32_t count = columns.last - columns.first;
    const int32_t is_contiguous = dilation->w == 1 && filter->c == input->c;
    tl_walk walk;
    walk.rows = count > 0 ? rows.last - rows.first : 0;
    walk.runs = is_contiguous ? 1 : count;
    walk.run_length = is_contiguous ? count * input->c : filter->c;
    walk.input_run = dilation->w * input->c;
    walk.input_row = dilation->h * input->w * input->c;
    walk.filter_row = filter->w * filter->c;
    walk.filter_size = filter->h * walk.filter_row;
    walk.filter_offset = rows.first * walk.filter_row + columns.first * filter->c;
    return walk;
}

#ifdef __cplusplus
}
#endif
#endif
