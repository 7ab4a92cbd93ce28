/* SPDX-License-Identifier: MIT
 * QUANTIZE and DEQUANTIZE with an 8-bit side, bit-exact with TensorFlow Lite Micro's reference kernels. None needs
 * scratch. 8-bit to 8-bit is tl_lut_s8 (tl_activation.h). */
#ifndef TL_QUANTIZATION_H
#define TL_QUANTIZATION_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t input_offset;      /* -zero_point of the input */
    int32_t output_multiplier; /* of input scale / output scale, in [2^30, 2^31) or 0 */
    int32_t output_shift;      /* [-31, 30] */
    int32_t output_offset;     /* zero_point of the output */
} tl_requantize_params;

/**
 * int8 to int16: (input + input_offset) * scale ratio + output_offset, saturated.
 * @param[out] output  does not overlap input
 * @param[in]  size    elements, >= 0
 */
tl_status tl_requantize_s8_s16(const tl_requantize_params *params, const int8_t *input, int16_t *output, int32_t size);

/** int16 to int8; output may start where input starts. */
tl_status tl_requantize_s16_s8(const tl_requantize_params *params, const int16_t *input, int8_t *output, int32_t size);

/** int16 to int16; output may be the same buffer as input. */
tl_status tl_requantize_s16(const tl_requantize_params *params, const int16_t *input, int16_t *output, int32_t size);

/**
 * float to int8: input / scale rounded half away from zero, plus zero_point, saturated. NaN gives zero_point.
 * @param[in]  scale       > 0
 * @param[in]  zero_point  [-128, 127]
 * @param[out] output      may start where input starts
 * @param[in]  size        elements, >= 0
 */
tl_status tl_quantize_f32_s8(float scale, int32_t zero_point, const float *input, int8_t *output, int32_t size);

/** float to uint8; zero_point [0, 255]. */
tl_status tl_quantize_f32_u8(float scale, int32_t zero_point, const float *input, uint8_t *output, int32_t size);

/**
 * int8 to float: scale * (input - zero_point). TFLite multiplies in double and rounds to float; the product of a float
 * and a 9-bit integer is exact in double, so one float multiplication gives the same bits.
 * @param[in]  zero_point  [-128, 127]
 * @param[out] output      does not overlap input
 */
tl_status tl_dequantize_s8_f32(float scale, int32_t zero_point, const int8_t *input, float *output, int32_t size);

/** uint8 to float; zero_point [0, 255]. */
tl_status tl_dequantize_u8_f32(float scale, int32_t zero_point, const uint8_t *input, float *output, int32_t size);

#ifdef __cplusplus
}
#endif
#endif
