/* SPDX-License-Identifier: MIT
 * Types shared by all Thumbelina kernels. Naming follows CMSIS-NN so that its users feel at home; semantics are TFLite's.
 * Offsets: input_offset = -zero_point, output_offset = +zero_point. */
#ifndef TL_TYPES_H
#define TL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { TL_OK = 0, TL_ARGUMENT_ERROR = -1 } tl_status;

/** Scratch memory of one kernel call. Its size comes from the kernel's _get_buffer_size; aligned to 4 bytes. */
typedef struct {
    void *buf;
    int32_t size; /* bytes */
} tl_context;

/** NHWC extents; filters: n = output channels, h, w, c = input channels. */
typedef struct {
    int32_t n;
    int32_t h;
    int32_t w;
    int32_t c;
} tl_dims;

typedef struct {
    int32_t h;
    int32_t w;
} tl_tile;

typedef struct {
    int32_t min;
    int32_t max;
} tl_activation;

#ifdef __cplusplus
}
#endif
#endif
