/* SPDX-License-Identifier: MIT
 * Activations of 8-bit tensors. An 8-bit input has 256 values, so one table lookup computes any function of it exactly
 * as the reference does: LOGISTIC, TANH, RELU, RELU6, LEAKY_RELU, HARD_SWISH and 8-bit QUANTIZE. No scratch. */
#ifndef TL_ACTIVATION_H
#define TL_ACTIVATION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Replaces every byte by its table entry.
 * @param[in]  table   256 results, indexed by the input byte taken as unsigned: an int8 input v has entry v & 255
 * @param[in]  input   int8 or uint8
 * @param[out] output  int8 or uint8; may be the same buffer as input
 * @param[in]  size    elements, >= 0
 */
tl_status tl_lut_s8(const int8_t *table, const void *input, void *output, int32_t size);

#ifdef __cplusplus
}
#endif
#endif
