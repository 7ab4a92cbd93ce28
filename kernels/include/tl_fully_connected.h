/* SPDX-License-Identifier: MIT
 * int8 fully connected kernels, bit-exact with TensorFlow Lite Micro: output[row][unit] = requantize(sum(weights[unit]
 * * input[row]) + bias).
 *
 * The fast kernels take weights packed as in tl_convolution.h, with columns in the order 0, 2, 1, 3 of every four
 * inputs (the order in which SXTB16 widens them) but filled up to a multiple of 4 only. They need no scratch. Packed
 * biases, 4 int32 per block of 4 units: {bias_0, 256 * bias_1 + bias_0, bias_2, 256 * bias_3 + bias_2}, with
 * input_offset * sum(weights) in them. */
#ifndef TL_FULLY_CONNECTED_H
#define TL_FULLY_CONNECTED_H

#include "tl_convolution.h"
#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Rescaling common to all units; the ranges and the formula are those of the packed constants in tl_convolution.h. */
typedef struct {
    int32_t multiplier;
    int32_t addend;
    int32_t shift;
    tl_activation activation; /* within [-128, 127] */
} tl_fully_connected_params;

/**
 * One scale for all weights.
 * @param[in]  input_dims   n rows of c inputs, h = w = 1
 * @param[in]  input
 * @param[in]  filter       packed
 * @param[in]  bias         packed
 * @param[in]  output_dims  n rows of c units, h = w = 1
 * @param[out] output       does not overlap input
 */
tl_status tl_fully_connected_s8(const tl_fully_connected_params *params,
                                const tl_dims *input_dims,
                                const int8_t *input,
                                const int8_t *filter,
                                const int32_t *bias,
                                const tl_dims *output_dims,
                                int8_t *output);

/**
 * A scale per unit.
 * @param[in]  activation   within [-128, 127]
 * @param[in]  constants    packed constants of tl_convolution.h, biases and rescaling
 */
tl_status tl_fully_connected_per_channel_s8(const tl_activation *activation,
                                            const tl_dims *input_dims,
                                            const int8_t *input,
                                            const int8_t *filter,
                                            const int32_t *constants,
                                            const tl_dims *output_dims,
                                            int8_t *output);

/** Offsets of the general kernel. */
typedef struct {
    int32_t input_offset;     /* -(input zero point), [-127, 128] */
    int32_t filter_offset;    /* -(filter zero point), [-127, 128] */
    int32_t output_offset;    /* output zero point, [-128, 127] */
    int32_t per_channel;      /* 0: quant has one entry, 1: one per unit */
    tl_activation activation; /* within [-128, 127] */
} tl_fully_connected_general_params;

/**
 * Any int8 fully connected layer, in plain C and without packing: what the fast kernels do not take (weights with a
 * zero point, weights of -128, very long sums, rescaling by a half or more).
 * @param[in]  filter       [units, inputs] as in the model
 * @param[in]  bias         one per unit, or NULL
 */
tl_status tl_fully_connected_general_s8(const tl_fully_connected_general_params *params,
                                        const tl_per_channel_quant *quant,
                                        const tl_dims *input_dims,
                                        const int8_t *input,
                                        const int8_t *filter,
                                        const int32_t *bias,
                                        const tl_dims *output_dims,
                                        int8_t *output);

#ifdef __cplusplus
}
#endif
#endif
