/* SPDX-License-Identifier: MIT
 * PAD and PADV2. The output is written front to back, one innermost row at a time: a row whose outer index lies in the
 * padding is all padding, any other is padding, a copied row of input, padding. */
#include "tl_data_movement.h"

#include <string.h>

#define OUTER_DIMS (TL_MAX_MOVE_DIMS - 1)

static uint8_t *fill(uint8_t *out, int32_t units, const tl_pad_params *params)
{
    const size_t unit = (size_t)params->unit_bytes;
    if (unit == 1) {
        memset(out, params->value[0], (size_t)units);
        return out + units;
    }
    for (int32_t i = 0; i < units; ++i) {
        memcpy(out, params->value, unit);
        out += unit;
    }
    return out;
}

/* Non-zero when the outer index is inside the input in every dimension. */
static int is_inside(const int32_t *index, const tl_pad_params *params)
{
    for (int32_t d = 0; d < OUTER_DIMS; ++d) {
        if (index[d] < params->before[d] || index[d] >= params->before[d] + params->extent[d]) {
            return 0;
        }
    }
    return 1;
}

/* Advances the outer index in output order; returns 0 after the last one. */
static int advance(int32_t *index, const tl_pad_params *params)
{
    for (int32_t d = OUTER_DIMS - 1; d >= 0; --d) {
        if (++index[d] < params->before[d] + params->extent[d] + params->after[d]) {
            return 1;
        }
        index[d] = 0;
    }
    return 0;
}

/* Refer header file for details. */
tl_status tl_pad(const tl_pad_params *params, const void *input, void *output)
{
    const uint8_t *in = (const uint8_t *)input;
    uint8_t *out = (uint8_t *)output;
    const int32_t before = params->before[OUTER_DIMS];
    const int32_t extent = params->extent[OUTER_DIMS];
    const int32_t after = params->after[OUTER_DIMS];
    const size_t row_bytes = (size_t)extent * (size_t)params->unit_bytes;
    int32_t index[OUTER_DIMS] = {0};

    if (params->unit_bytes < 1 || params->unit_bytes > (int32_t)sizeof(params->value)) {
        return TL_ARGUMENT_ERROR;
    }
    do {
        if (is_inside(index, params)) {
            out = fill(out, before, params);
            memcpy(out, in, row_bytes);
            in += row_bytes;
            out = fill(out + row_bytes, after, params);
        } else {
            out = fill(out, before + extent + after, params);
        }
    } while (advance(index, params));
    return TL_OK;
}
