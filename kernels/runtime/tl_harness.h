/* SPDX-License-Identifier: MIT
 * A model behind the board's UART: what main.c tells the protocols about it, and what both share. */
#ifndef TL_HARNESS_H
#define TL_HARNESS_H

#include "tl_frame.h"
#include "tl_time.h"
#include "tl_uart.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { TL_ELEMENT_INT8, TL_ELEMENT_UINT8, TL_ELEMENT_INT16, TL_ELEMENT_FLOAT32, TL_ELEMENT_OTHER } tl_element;

typedef struct {
    uint8_t *data; /**< in the arena */
    uint32_t bytes;
    tl_element element;
    int32_t zero_point;
    float scale; /**< real = scale * (q - zero_point); 1 for float */
} tl_harness_tensor;

/** How bytes from outside become the model's input. */
typedef enum {
    TL_INPUT_RAW,    /**< they are the input tensors */
    TL_INPUT_UINT8,  /**< unsigned bytes for an int8 tensor: 128 is subtracted */
    TL_INPUT_FLOAT32 /**< little-endian floats, quantized here */
} tl_input_form;

typedef struct tl_harness {
    const char *board;
    const char *model;
    const char *mlperf_id; /**< kws01 and the like */
    const uint8_t *model_sha256;
    int32_t (*invoke)(void);
    tl_harness_tensor *inputs;
    uint32_t input_count;
    tl_harness_tensor *outputs;
    uint32_t output_count;
    uint8_t *buffer; /**< what the host sent, kept for the next inference: the arena reuses the inputs' place */
    uint32_t buffer_bytes;
    tl_input_form form;
    uint32_t arena_bytes;
    uint32_t op_count; /**< 0: the image has no hooks */
    /** Requests of the framed protocol that a model which learns answers; NULL: none. Returns 0 for another kind. */
    int32_t (*extension)(const struct tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer);
    const struct tl_learner *learner;
    /** Of decision systems, whose input is the next frames of a stream; else NULL. One step with the newest window;
     * returns the probability that the label had before, Q15, -1 without a window. */
    int32_t (*learn)(int32_t label);
    /** Begins a new stream. */
    void (*restart)(void);
} tl_harness;

/** Copies or converts the buffer into the input tensors. */
void tl_harness_load(const tl_harness *harness);

/** Loads the buffer and invokes; the cycles are those of the invocation. Returns 0, or what the model returned. */
int32_t tl_harness_infer(const tl_harness *harness, uint64_t *cycles);

/** Real value of element `index` of a tensor. */
float tl_harness_value(const tl_harness_tensor *tensor, uint32_t index);

uint32_t tl_harness_elements(const tl_harness_tensor *tensor);

/** Fills the unused stack with a pattern; tl_harness_stack_used then tells how deep it went. */
void tl_harness_paint_stack(void);
uint32_t tl_harness_stack_bytes(void);
uint32_t tl_harness_stack_used(void);

/** Feeds every byte that arrives to `receive`, for ever. */
__attribute__((noreturn)) void tl_harness_serve(void (*receive)(uint8_t byte));

/** MLPerf Tiny's text protocol (mlcommons/tiny, benchmark/api): one byte of the line. */
void tl_mlperf_init(const tl_harness *harness);
void tl_mlperf_receive(uint8_t byte);

/** The framed protocol (docs/protocol.md): one byte of the line. */
void tl_device_start(const tl_harness *harness);
/** The same with a greeting: an identification that nobody asked for. */
void tl_device_init(const tl_harness *harness);
void tl_device_receive(uint8_t byte);
/** The requests of a model that learns. */
int32_t tl_device_adapt(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer);
/** From <model>_on_op, where the image has hooks. */
void tl_device_on_op(int32_t op_index);

/** Sends program counter, link register and status of a stacked frame (DDI 0403E B1.5.6), then starts the board anew.
 */
__attribute__((used, noreturn)) void tl_device_report_fault(const uint32_t *frame);

/** Both in one image: a zero byte begins a frame, anything else is text. The text protocol greets, the framed one does
 * not. */
void tl_both_init(const tl_harness *harness);
void tl_both_receive(uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
