/* SPDX-License-Identifier: MIT
 * Refer to tl_dynamic_range.h and tl_dynamic_matmul.h. */
#define TL_VARIANT_SCAN TL_SCAN_MAX
#define TL_VARIANT_SCAN_ASM TL_ASM_SCAN_MAX
#define TL_VARIANT_RESULT int32_t
#define TL_VARIANT_STORE_ASM TL_STORE_S32
#include "tl_dynamic_matmul.h"

void tl_dynamic_matmul_max_s32(const int16_t *columns,
                               int32_t pairs,
                               const int8_t *weights,
                               const int32_t *biases,
                               const int32_t *constants,
                               int32_t channels,
                               void *output_0,
                               void *output_1,
                               tl_dynamic_range *range)
{
    multiply_channels(columns, pairs, weights, biases, constants, channels, output_0, output_1, range);
}
