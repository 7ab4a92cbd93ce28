/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_range.h and tl_dynamic_lines.h. */
#define TL_VARIANT_SCAN TL_SCAN_BITS_RELU
#define TL_VARIANT_SCAN_ASM TL_LINES_SCAN_BITS_RELU
#include "tl_dynamic_lines.h"

void tl_dynamic_lines_bits_relu_s8(const int32_t *sums,
                                   int32_t count,
                                   int32_t bias,
                                   int32_t multiplier,
                                   int8_t *line_0,
                                   int8_t *line_1,
                                   int32_t step,
                                   tl_dynamic_range *range)
{
    store_lines(sums, count, bias, multiplier, line_0, line_1, step, range);
}
