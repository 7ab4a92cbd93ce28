/* SPDX-License-Identifier: MIT
 * Kernels that move elements and compute nothing. They know bytes, not types: int8, int16, int32 and float share them.
 * None needs scratch. Semantics: TensorFlow Lite's CONCATENATION, SPLIT, PAD(V2), STRIDED_SLICE, TRANSPOSE and
 * RESIZE_NEAREST_NEIGHBOR. */
#ifndef TL_DATA_MOVEMENT_H
#define TL_DATA_MOVEMENT_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most dimensions of tl_strided_copy and tl_pad. */
#define TL_MAX_MOVE_DIMS 6

/**
 * Copies bytes.
 * @param[in]  input   not overlapping output, or equal to it
 * @param[in]  bytes   >= 0
 * @param[out] output
 */
tl_status tl_copy(const void *input, int32_t bytes, void *output);

/**
 * Joins tensors along an axis.
 * @param[in]  inputs       input_count tensors
 * @param[in]  block_bytes  per input: bytes from the axis inwards, e.g. [N, H, W, C] along W: input's W * C * element
 * size
 * @param[in]  input_count  >= 1
 * @param[in]  outer        product of the extents before the axis
 * @param[out] output       outer * sum of block_bytes; overlaps no input
 */
tl_status tl_concatenation(
    const void *const *inputs, const int32_t *block_bytes, int32_t input_count, int32_t outer, void *output);

/**
 * Cuts a tensor into equal parts along an axis.
 * @param[in]  input         outer * output_count * block_bytes
 * @param[in]  outer         product of the extents before the axis
 * @param[in]  block_bytes   bytes from the axis inwards of one output
 * @param[in]  output_count  >= 1
 * @param[out] outputs       output_count tensors of outer * block_bytes each; none overlaps input
 */
tl_status tl_split(const void *input, int32_t outer, int32_t block_bytes, int32_t output_count, void *const *outputs);

/** Extents are in units of unit_bytes; dimension 0 is the outermost. Unused leading dimensions have extent 1 and
 * padding 0. */
typedef struct {
    int32_t extent[TL_MAX_MOVE_DIMS]; /* of the input */
    int32_t before[TL_MAX_MOVE_DIMS]; /* padding in front, >= 0 */
    int32_t after[TL_MAX_MOVE_DIMS];  /* padding behind, >= 0 */
    int32_t unit_bytes;               /* 1, 2, 4 or 8: the element size */
    uint8_t value[8];                 /* unit_bytes little-endian bytes written into the padding */
} tl_pad_params;

/**
 * Surrounds a tensor with a constant.
 * @param[in]  input   aligned to unit_bytes
 * @param[out] output  dense, product of (before + extent + after) units; overlaps no input
 */
tl_status tl_pad(const tl_pad_params *params, const void *input, void *output);

/** Output index (i0, .., i5) is read from byte input_offset + sum of i_k * stride_bytes[k]. Unused leading dimensions
 * have extent 1. */
typedef struct {
    int32_t extent[TL_MAX_MOVE_DIMS];       /* of the output, >= 1 */
    int32_t stride_bytes[TL_MAX_MOVE_DIMS]; /* in the input; may be negative */
    int32_t input_offset;                   /* bytes from the start of the input to output index 0 */
    int32_t unit_bytes;                     /* bytes that are contiguous in input and output, >= 1 */
} tl_strided_copy_params;

/**
 * Gathers at constant strides: STRIDED_SLICE with any sign of step, TRANSPOSE, one output of SPLIT.
 * @param[in]  input
 * @param[out] output  dense, product of extents times unit_bytes; does not overlap input
 */
tl_status tl_strided_copy(const tl_strided_copy_params *params, const void *input, void *output);

/** NHWC; pixel_bytes = channels * element size. */
typedef struct {
    int32_t batches;
    int32_t input_h;
    int32_t input_w;
    int32_t output_h;
    int32_t output_w;
    int32_t pixel_bytes;
} tl_resize_params;

/**
 * Enlarges or shrinks by repeating or dropping pixels. Which ones is decided when the code is generated, as it needs
 * float arithmetic.
 * @param[in]  source_rows     output_h row indices, each in [0, input_h)
 * @param[in]  source_columns  output_w column indices, each in [0, input_w)
 * @param[in]  input           [batches, input_h, input_w, C]
 * @param[out] output          [batches, output_h, output_w, C]; does not overlap input
 */
tl_status tl_resize_nearest_neighbor(const tl_resize_params *params,
                                     const int16_t *source_rows,
                                     const int16_t *source_columns,
                                     const void *input,
                                     void *output);

#ifdef __cplusplus
}
#endif
#endif
