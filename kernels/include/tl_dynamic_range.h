/* SPDX-License-Identifier: MIT
 * What the dynamic kernels (tl_dynamic.h) are made of: a layer's range while it runs, and the inner loops that widen
 * it. Generated code names the loops; the rest is the kernels' own. */
#ifndef TL_DYNAMIC_RANGE_H
#define TL_DYNAMIC_RANGE_H

#include "tl_convolution.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SCALE_WORDS 3
#define TL_STATE_WORDS 4

typedef enum { TL_DYNAMIC_FULL, TL_DYNAMIC_RECOMPUTE, TL_DYNAMIC_RUNNING } tl_dynamic_form;

/** How one range becomes another while a layer runs. Q: range is 2^shift; asymmetric: high - low. */
typedef struct {
    int32_t low; /* least and largest aligned sum seen, low <= 0 <= high; Q: bits of all magnitudes, and 0 */
    int32_t high;
    int32_t covered_low; /* what the requantization holds */
    int32_t covered_high;
    int32_t range;
    int32_t multiplier; /* q = saturate(round(aligned * multiplier / 2^32) + zero_point) */
    int32_t zero_point;
    int32_t upper; /* aligned 6 of RELU6, else 2^30 */
    int32_t least; /* smallest range */
    int32_t is_asymmetric;
    int32_t unit_multiplier; /* scale of aligned sums */
    int32_t unit_shift;
} tl_dynamic_range;

/**
 * Two int16 columns times all output channels, as tl_matmul_2_columns_s8; outputs are aligned sums (int32_t) or int8
 * requantized by `range`, whose low and high widen. A variant for each scheme, activation and form.
 */
typedef void (*tl_dynamic_matmul)(const int16_t *columns,
                                  int32_t pairs,
                                  const int8_t *weights,
                                  const int32_t *biases,
                                  const int32_t *constants,
                                  int32_t channels,
                                  void *output_0,
                                  void *output_1,
                                  tl_dynamic_range *range);

/**
 * A row of sums of one channel of a strip kernel (tl_depthwise_strip.h) to one or two output lines of int8, requantized
 * by `range`, whose low and high widen. A variant for each scheme and activation.
 * @param[in]  sums    pairs {first line, second line}; NULL line_1: only the first
 * @param[in]  step    bytes from output to output
 */
typedef void (*tl_dynamic_lines)(const int32_t *sums,
                                 int32_t count,
                                 int32_t bias,
                                 int32_t multiplier,
                                 int8_t *line_0,
                                 int8_t *line_1,
                                 int32_t step,
                                 tl_dynamic_range *range);

typedef struct {
    tl_dynamic_form form;
    int32_t is_asymmetric;
    int32_t is_relu; /* RELU or RELU6 */
    int32_t is_relu6;
    int32_t bias_exponent;
    int32_t weight_multiplier; /* largest weight scale */
    int32_t weight_shift;
    int32_t least_multiplier; /* finest scale of the output, 0: any */
    int32_t least_shift;
} tl_dynamic_params;

/* Variants by scan (bits: Q, bits_relu: Q with RELU, range: asymmetric, max: asymmetric with RELU) and result. */
void tl_dynamic_matmul_bits_s32(const int16_t *columns,
                                int32_t pairs,
                                const int8_t *weights,
                                const int32_t *biases,
                                const int32_t *constants,
                                int32_t channels,
                                void *output_0,
                                void *output_1,
                                tl_dynamic_range *range);
void tl_dynamic_matmul_bits_s8(const int16_t *columns,
                               int32_t pairs,
                               const int8_t *weights,
                               const int32_t *biases,
                               const int32_t *constants,
                               int32_t channels,
                               void *output_0,
                               void *output_1,
                               tl_dynamic_range *range);
void tl_dynamic_lines_bits_s8(const int32_t *sums,
                              int32_t count,
                              int32_t bias,
                              int32_t multiplier,
                              int8_t *line_0,
                              int8_t *line_1,
                              int32_t step,
                              tl_dynamic_range *range);
void tl_dynamic_matmul_bits_relu_s32(const int16_t *columns,
                                     int32_t pairs,
                                     const int8_t *weights,
                                     const int32_t *biases,
                                     const int32_t *constants,
                                     int32_t channels,
                                     void *output_0,
                                     void *output_1,
                                     tl_dynamic_range *range);
void tl_dynamic_matmul_bits_relu_s8(const int16_t *columns,
                                    int32_t pairs,
                                    const int8_t *weights,
                                    const int32_t *biases,
                                    const int32_t *constants,
                                    int32_t channels,
                                    void *output_0,
                                    void *output_1,
                                    tl_dynamic_range *range);
void tl_dynamic_lines_bits_relu_s8(const int32_t *sums,
                                   int32_t count,
                                   int32_t bias,
                                   int32_t multiplier,
                                   int8_t *line_0,
                                   int8_t *line_1,
                                   int32_t step,
                                   tl_dynamic_range *range);
void tl_dynamic_matmul_range_s32(const int16_t *columns,
                                 int32_t pairs,
                                 const int8_t *weights,
                                 const int32_t *biases,
                                 const int32_t *constants,
                                 int32_t channels,
                                 void *output_0,
                                 void *output_1,
                                 tl_dynamic_range *range);
void tl_dynamic_matmul_range_s8(const int16_t *columns,
                                int32_t pairs,
                                const int8_t *weights,
                                const int32_t *biases,
                                const int32_t *constants,
                                int32_t channels,
                                void *output_0,
                                void *output_1,
                                tl_dynamic_range *range);
void tl_dynamic_lines_range_s8(const int32_t *sums,
                               int32_t count,
                               int32_t bias,
                               int32_t multiplier,
                               int8_t *line_0,
                               int8_t *line_1,
                               int32_t step,
                               tl_dynamic_range *range);
void tl_dynamic_matmul_max_s32(const int16_t *columns,
                               int32_t pairs,
                               const int8_t *weights,
                               const int32_t *biases,
                               const int32_t *constants,
                               int32_t channels,
                               void *output_0,
                               void *output_1,
                               tl_dynamic_range *range);
void tl_dynamic_matmul_max_s8(const int16_t *columns,
                              int32_t pairs,
                              const int8_t *weights,
                              const int32_t *biases,
                              const int32_t *constants,
                              int32_t channels,
                              void *output_0,
                              void *output_1,
                              tl_dynamic_range *range);
void tl_dynamic_lines_max_s8(const int32_t *sums,
                             int32_t count,
                             int32_t bias,
                             int32_t multiplier,
                             int8_t *line_0,
                             int8_t *line_1,
                             int32_t step,
                             tl_dynamic_range *range);

/** range := what holds low..high, at least range->least wide. */
void tl_dynamic_choose(tl_dynamic_range *range, int32_t low, int32_t high);

/** As tl_dynamic_choose for what has been seen and covered so far, with room to grow. @return ratio for
 * tl_dynamic_realign */
int32_t tl_dynamic_grow(tl_dynamic_range *range);

/** Values written before a growth, as they are after it. */
void tl_dynamic_realign(
    const tl_dynamic_range *range, int32_t ratio, int32_t old_zero_point, int8_t *values, int32_t count);

/** Start of a layer: units from input and weight scale, bounds; then, but for the full form, the range of the state, if
 * there is one. */
void tl_dynamic_begin(tl_dynamic_range *range,
                      const tl_dynamic_params *dynamic,
                      const int32_t *input_scale,
                      const int32_t *state);

/** End of a layer: RELU6's clamp, the output's scale, the next inference's state. */
void tl_dynamic_end(const tl_dynamic_range *range,
                    const tl_dynamic_params *dynamic,
                    int8_t *output,
                    int32_t count,
                    int32_t *output_scale,
                    int32_t *state);

/** Biases of `channels` channels in accumulator steps, the zero point's part folded in. is_packed: as tl_convolution.h
 * packs them, `channels` a multiple of 4. */
void tl_dynamic_biases(const tl_dynamic_params *dynamic,
                       const int32_t *input_scale,
                       const int32_t *constants,
                       int32_t channels,
                       int32_t is_packed,
                       int32_t *biases);

/** Least and largest of `count` sums, count > 0, taken into extremes {low, high}; low only where it is needed. */
void tl_dynamic_extremes(const int32_t *sums, int32_t count, int32_t is_low_needed, int32_t extremes[2]);

/** What one channel's sums, without bias, are aligned with. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t is_relu;
} tl_dynamic_channel;

/** One channel of a layer's output, in the order in which a strip kernel gives its sums. Steps are in bytes. */
typedef struct {
    int32_t run; /* columns of a line */
    int32_t lines;
    int32_t lines_at_once; /* 2: pairs {first line, second line} per column, a last single line as with 1 */
    int32_t run_step;
    int32_t line_step;
} tl_dynamic_plane;

/** A channel's sums to int8, once the layer's range is known. */
void tl_dynamic_requantize_plane(const tl_dynamic_range *range,
                                 const tl_dynamic_channel *channel,
                                 const int32_t *sums,
                                 const tl_dynamic_plane *plane,
                                 int8_t *output);

/** Aligned sums to int8. is_relu: in the Q scheme none is negative. */
void tl_dynamic_requantize(
    const tl_dynamic_range *range, const int32_t *sums, int8_t *output, int32_t count, int32_t is_relu);

#ifdef __cplusplus
}
#endif
#endif
