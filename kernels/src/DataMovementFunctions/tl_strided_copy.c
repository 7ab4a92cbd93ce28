/* SPDX-License-Identifier: MIT
 * STRIDED_SLICE, TRANSPOSE: output front to back, input at constant strides. Units of 1, 2 and 4 bytes have loops of
 * their own because a call of memcpy per element would cost more than the element. */
#include "tl_data_movement.h"

#include <string.h>

#define OUTER_DIMS (TL_MAX_MOVE_DIMS - 1)

static uint8_t *copy_row(const uint8_t *in, int32_t stride, int32_t count, int32_t unit_bytes, uint8_t *out)
{
    switch (unit_bytes) {
    case 1:
        for (int32_t i = 0; i < count; ++i, in += stride) {
            *out++ = *in;
        }
        break;
    case 2:
        for (int32_t i = 0; i < count; ++i, in += stride, out += 2) {
            memcpy(out, in, 2);
        }
        break;
    case 4:
        for (int32_t i = 0; i < count; ++i, in += stride, out += 4) {
            memcpy(out, in, 4);
        }
        break;
    default:
        for (int32_t i = 0; i < count; ++i, in += stride, out += unit_bytes) {
            memcpy(out, in, (size_t)unit_bytes);
        }
        break;
    }
    return out;
}

/* Refer header file for details. */
tl_status tl_strided_copy(const tl_strided_copy_params *params, const void *input, void *output)
{
    const uint8_t *const in = (const uint8_t *)input;
    uint8_t *out = (uint8_t *)output;
    int32_t offset = params->input_offset;
    int32_t index[OUTER_DIMS] = {0};
    int32_t d;

    if (params->unit_bytes < 1) {
        return TL_ARGUMENT_ERROR;
    }
    do {
        out = copy_row(in + offset,
                       params->stride_bytes[OUTER_DIMS],
                       params->extent[OUTER_DIMS],
                       params->unit_bytes,
                       out);
        for (d = OUTER_DIMS - 1; d >= 0; --d) {
            offset += params->stride_bytes[d];
            if (++index[d] < params->extent[d]) {
                break;
            }
            offset -= params->stride_bytes[d] * params->extent[d];
            index[d] = 0;
        }
    } while (d >= 0);
    return TL_OK;
}
