/* SPDX-License-Identifier: MIT
 * RESIZE_NEAREST_NEIGHBOR by tables of source rows and columns. A row that repeats the previous one is copied whole. */
#include "tl_data_movement.h"

#include <string.h>

/* Refer header file for details. */
tl_status tl_resize_nearest_neighbor(const tl_resize_params *params,
                                     const int16_t *source_rows,
                                     const int16_t *source_columns,
                                     const void *input,
                                     void *output)
{
    const size_t pixel_bytes = (size_t)params->pixel_bytes;
    const size_t input_row_bytes = (size_t)params->input_w * pixel_bytes;
    const size_t output_row_bytes = (size_t)params->output_w * pixel_bytes;
    const uint8_t *in = (const uint8_t *)input;
    uint8_t *out = (uint8_t *)output;

    for (int32_t b = 0; b < params->batches; ++b) {
        for (int32_t y = 0; y < params->output_h; ++y) {
            if (y > 0 && source_rows[y] == source_rows[y - 1]) {
                memcpy(out, out - output_row_bytes, output_row_bytes);
                out += output_row_bytes;
                continue;
            }
            const uint8_t *const row = in + (size_t)source_rows[y] * input_row_bytes;
            for (int32_t x = 0; x < params->output_w; ++x) {
                memcpy(out, row + (size_t)source_columns[x] * pixel_bytes, pixel_bytes);
                out += pixel_bytes;
            }
        }
        in += (size_t)params->input_h * input_row_bytes;
    }
    return TL_OK;
}
