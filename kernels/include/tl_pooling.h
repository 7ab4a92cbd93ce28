/* SPDX-License-Identifier: MIT
 * int8 pooling and mean, bit-exact with TensorFlow Lite Micro's reference kernels. None needs scratch. Layouts NHWC. */
#ifndef TL_POOLING_H
#define TL_POOLING_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Pooling does not rescale: TFLite requires equal scale and zero point of input and output. */
typedef struct {
    tl_tile filter;           /* >= 1 */
    tl_tile stride;           /* >= 1 */
    tl_tile padding;          /* rows above and columns left of the input, >= 0 */
    tl_activation activation; /* within [-128, 127] */
} tl_pool_params;

/**
 * Mean over windows; padding is not counted. Rounds half away from zero.
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  output_dims  [N, H, W, C], n and c as the input's
 * @param[out] output       does not overlap input
 * @return     TL_ARGUMENT_ERROR if a window lies wholly in the padding
 */
tl_status tl_avgpool_s8(const tl_pool_params *params,
                        const tl_dims *input_dims,
                        const int8_t *input,
                        const tl_dims *output_dims,
                        int8_t *output);

/**
 * Maximum over windows; padding is not counted.
 * @param[in]  input_dims   [N, H, W, C]
 * @param[in]  input
 * @param[in]  output_dims  [N, H, W, C], n and c as the input's
 * @param[out] output       does not overlap input
 * @return     TL_ARGUMENT_ERROR if a window lies wholly in the padding
 */
tl_status tl_max_pool_s8(const tl_pool_params *params,
                         const tl_dims *input_dims,
                         const int8_t *input,
                         const tl_dims *output_dims,
                         int8_t *output);

/**
 * Any set of axes of a tensor becomes this form when neighbouring axes of one sort are merged: input
 * [outer, reduced_0, middle, reduced_1, inner], output [outer, middle, inner]. H and W of NHWC: outer N, reduced_0 and
 * middle 1, reduced_1 H * W, inner C.
 */
typedef struct {
    int32_t outer;
    int32_t reduced_0;
    int32_t middle;
    int32_t reduced_1;
    int32_t inner;
    int32_t input_offset;      /* -zero_point * reduced_0 * reduced_1 */
    int32_t output_multiplier; /* with 1 / (reduced_0 * reduced_1) in it, as TFLite has it; in [0, 2^31) */
    int32_t output_shift;      /* [-31, 30]; sum << shift must fit int32 */
    int32_t output_offset;     /* zero_point, [-128, 127] */
} tl_mean_params;

/**
 * Mean over axes, with rescaling to the output's scale.
 * @param[in]  input   at most 2^23 elements are summed
 * @param[out] output  does not overlap input
 */
tl_status tl_mean_s8(const tl_mean_params *params, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif
#endif
