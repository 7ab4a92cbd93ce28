/* SPDX-License-Identifier: MIT
 * Kalman filter over the features: what the encoder shows of a window is a noisy measurement of a state that drifts from window to window; classes
 * are Gaussians around it. Whitening makes their shared covariance the identity, and the filter one of independent values. Integer
 * throughout; bit-exact with firmware-gen/reference/decision/kalman.ts. R. E. Kalman, J. Basic Eng. 82 (1960), 35-45. */
#ifndef TL_KALMAN_H
#define TL_KALMAN_H

#include "tl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t size; /* of phi, 1..256 */
    int32_t classes;
    int32_t offset;           /* -(zero point of phi), [-127, 128] */
    int32_t shift;            /* whitened values are M phi >> shift, 0..16 */
    const int16_t *whitening; /* M, the lower triangle row by row: size * (size + 1) / 2 */
    const int32_t *centres;   /* [classes, size]: M mean of each class in whitened steps */
    const uint16_t *drift;    /* [size]: variance that a window adds to the state */
    const uint16_t *noise;    /* [size], >= 1: variance of a measurement, in the drift's unit */
} tl_kalman_params;

/**
 * One window. @param[in,out] mean [size] of the state, whitened steps times 2^8 @param[in,out] variance [size], in the drift's unit
 * @param[in,out] started 0 before the first measurement, which becomes the state
 * @param phi NULL for a window without evidence (rejected): the state only becomes less certain
 * @param[out] scores [classes] minus the squared distance of the state to each class in whitened steps, >= -2^30; not written without phi
 */
void tl_kalman_s8(const tl_kalman_params *params,
                  int32_t *mean,
                  uint16_t *variance,
                  int32_t *started,
                  const int8_t *phi,
                  int32_t *scores);

#ifdef __cplusplus
}
#endif
#endif
