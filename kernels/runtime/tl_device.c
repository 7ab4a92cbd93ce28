/* SPDX-License-Identifier: MIT
 * The device's side of the framed protocol: docs/protocol.md. Every request is answered by one frame with its sequence
 * number. A request that comes again, because its answer was lost, is not executed again where that would make a
 * difference. */
#include "tl_device.h"
#include "tl_harness.h"

#define CPUID TL_REGISTER(0xE000ED00U)

/* A reserved word of the SCS, zero on a chip (DDI 0403E B3.2.3), where Thumbelina's emulator says that it is one. */
#define EMULATOR_ID TL_REGISTER(0xE000EFC0U)
#define EMULATOR_ID_VALUE 0x4D454C54U /* "TLEM" */

enum { EXECUTION_UNKNOWN, EXECUTION_HARDWARE, EXECUTION_EMULATED };

#define OPS_MAX 128U

/* Defined by the linker script. */
extern uint32_t __data_start[], __bss_end[], __stack_top[];

static const tl_harness *model;
static tl_frame_reader reader;
static tl_frame_writer writer;

/* The last inference, and the number of the request that asked for it. */
static struct {
    uint32_t sequence;
    uint32_t status;
    uint64_t cycles;
    uint64_t cold_cycles;
} done;

static uint32_t op_cycles[OPS_MAX];
static uint32_t op_start;

void tl_device_on_op(int32_t op_index)
{
    const uint32_t now = (uint32_t)tl_time_cycles();
    if ((uint32_t)op_index < OPS_MAX) {
        op_cycles[op_index] = now - op_start;
    }
    op_start = now;
}

static void answer_error(uint32_t code)
{
    tl_frame_begin(&writer, ANSWER_ERROR, tl_frame_sequence(&reader), 4);
    tl_frame_write_u32(&writer, code);
    tl_frame_end(&writer);
}

static uint8_t execution(void)
{
    if (EMULATOR_ID == EMULATOR_ID_VALUE) {
        return EXECUTION_EMULATED;
    }
#ifdef TL_CHIP_ID_ADDRESS
    if ((TL_REGISTER(TL_CHIP_ID_ADDRESS) & TL_CHIP_ID_MASK) == TL_CHIP_ID_VALUE) {
        return EXECUTION_HARDWARE;
    }
#endif
    return EXECUTION_UNKNOWN;
}

static uint32_t total_bytes(const tl_harness_tensor *tensors, uint32_t count)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < count; ++i) {
        bytes += tensors[i].bytes;
    }
    return bytes;
}

static void identify(uint8_t kind)
{
    const uint32_t board_bytes = (uint32_t)strlen(model->board) + 1U;
    const uint32_t model_bytes = (uint32_t)strlen(model->model) + 1U;
    const uint8_t what[4] = {(uint8_t)TL_FRAME_VERSION, execution(), 0, 0};
    tl_frame_begin(&writer, kind, tl_frame_sequence(&reader), 36U + 32U + board_bytes + model_bytes);
    tl_frame_write(&writer, what, sizeof(what));
    tl_frame_write_u32(&writer, TL_FRAME_PAYLOAD_MAX);
    tl_frame_write_u32(&writer, CPUID);
    tl_frame_write_u32(&writer, TL_CLOCK_HZ);
    tl_frame_write_u32(&writer, model->buffer_bytes);
    tl_frame_write_u32(&writer, total_bytes(model->outputs, model->output_count));
    tl_frame_write_u32(&writer, model->arena_bytes);
    tl_frame_write_u32(&writer, model->op_count);
    tl_frame_write_u32(&writer, (uint32_t)model->form);
    tl_frame_write(&writer, model->model_sha256, 32);
    tl_frame_write(&writer, model->board, board_bytes);
    tl_frame_write(&writer, model->model, model_bytes);
    tl_frame_end(&writer);
}

/* Offset, then bytes for the input buffer. */
static void write_input(void)
{
    const uint8_t *payload = tl_frame_payload(&reader);
    const uint32_t bytes = tl_frame_payload_bytes(&reader);
    const uint32_t offset = bytes < 4U ? 0 : tl_frame_u32(payload);
    if (bytes < 4U || offset > model->buffer_bytes || bytes - 4U > model->buffer_bytes - offset) {
        answer_error(ERROR_RANGE);
        return;
    }
    memcpy(model->buffer + offset, payload + 4, bytes - 4U);
    tl_frame_begin(&writer, REQUEST_WRITE | ANSWER, tl_frame_sequence(&reader), 4);
    tl_frame_write_u32(&writer, bytes - 4U);
    tl_frame_end(&writer);
}

static uint32_t output_crc(void)
{
    uint32_t crc = 0;
    for (uint32_t i = 0; i < model->output_count; ++i) {
        crc = tl_crc32(crc, model->outputs[i].data, model->outputs[i].bytes);
    }
    return crc;
}

static void run(uint32_t count)
{
    for (uint32_t turn = 0; turn < count && done.status == 0; ++turn) {
        uint64_t cycles;
        op_start = (uint32_t)tl_time_cycles();
        done.status = (uint32_t)tl_harness_infer(model, &cycles);
        if (turn == 0) {
            done.cold_cycles = cycles;
        }
        done.cycles = cycles;
    }
}

/* How often, and the CRC-32 of the whole input: a board that has started anew meanwhile has another one. */
static void infer(void)
{
    const uint8_t *payload = tl_frame_payload(&reader);
    const uint16_t sequence = tl_frame_sequence(&reader);
    if (tl_frame_payload_bytes(&reader) != 8U) {
        answer_error(ERROR_RANGE);
        return;
    }
    if (done.sequence != sequence) {
        if (tl_crc32(0, model->buffer, model->buffer_bytes) != tl_frame_u32(payload + 4)) {
            answer_error(ERROR_INPUT);
            return;
        }
        done.sequence = DONE_NOTHING;
        done.status = 0;
        run(tl_frame_u32(payload));
        done.sequence = sequence;
    }
    tl_frame_begin(&writer, REQUEST_INFER | ANSWER, sequence, 24);
    tl_frame_write_u32(&writer, done.status);
    tl_frame_write_u32(&writer, output_crc());
    tl_frame_write_u32(&writer, (uint32_t)done.cycles);
    tl_frame_write_u32(&writer, (uint32_t)(done.cycles >> 32));
    tl_frame_write_u32(&writer, (uint32_t)done.cold_cycles);
    tl_frame_write_u32(&writer, (uint32_t)(done.cold_cycles >> 32));
    tl_frame_end(&writer);
}

/* Offset into all outputs, one after the other, and how many bytes. */
static void read_output(void)
{
    const uint8_t *payload = tl_frame_payload(&reader);
    const uint32_t all = total_bytes(model->outputs, model->output_count);
    const uint32_t offset = tl_frame_payload_bytes(&reader) == 8U ? tl_frame_u32(payload) : all;
    const uint32_t bytes = tl_frame_payload_bytes(&reader) == 8U ? tl_frame_u32(payload + 4) : 1U;
    if (offset > all || bytes > all - offset || bytes > TL_FRAME_PAYLOAD_MAX) {
        answer_error(ERROR_RANGE);
        return;
    }
    tl_frame_begin(&writer, REQUEST_READ | ANSWER, tl_frame_sequence(&reader), bytes);
    uint32_t start = 0;
    for (uint32_t i = 0; i < model->output_count; ++i) {
        const tl_harness_tensor *tensor = &model->outputs[i];
        const uint32_t from = offset > start ? offset - start : 0;
        const uint32_t to = offset + bytes > start ? offset + bytes - start : 0;
        if (from < tensor->bytes && from < to) {
            tl_frame_write(&writer, tensor->data + from, (to < tensor->bytes ? to : tensor->bytes) - from);
        }
        start += tensor->bytes;
    }
    tl_frame_end(&writer);
}

/* Cycles of every op of the last inference, by op index; none in an image without hooks. */
static void report_ops(void)
{
    const uint32_t count = model->op_count < OPS_MAX ? model->op_count : OPS_MAX;
    tl_frame_begin(&writer, REQUEST_OPS | ANSWER, tl_frame_sequence(&reader), 4U * count);
    for (uint32_t i = 0; i < count; ++i) {
        tl_frame_write_u32(&writer, op_cycles[i]);
    }
    tl_frame_end(&writer);
}

static void report_memory(void)
{
    tl_frame_begin(&writer, REQUEST_MEMORY | ANSWER, tl_frame_sequence(&reader), 16);
    tl_frame_write_u32(&writer, tl_harness_stack_bytes());
    tl_frame_write_u32(&writer, tl_harness_stack_used());
    tl_frame_write_u32(&writer, (uint32_t)((uintptr_t)__bss_end - (uintptr_t)__data_start));
    tl_frame_write_u32(&writer, model->arena_bytes);
    tl_frame_end(&writer);
}

static void reset(void)
{
    tl_frame_begin(&writer, REQUEST_RESET | ANSWER, tl_frame_sequence(&reader), 0);
    tl_frame_end(&writer);
    tl_uart_flush();
    tl_reset();
}

void tl_device_receive(uint8_t byte)
{
    if (tl_frame_read(&reader, byte) != TL_FRAME_READY) {
        return;
    }
    switch (tl_frame_kind(&reader)) {
    case REQUEST_IDENTIFY:
        done.sequence = DONE_NOTHING; /* a host that has just come counts anew */
        if (model->extension != NULL) {
            (void)model->extension(model, &reader, &writer);
        }
        identify(REQUEST_IDENTIFY | ANSWER);
        break;
    case REQUEST_WRITE:
        write_input();
        break;
    case REQUEST_INFER:
        infer();
        break;
    case REQUEST_READ:
        read_output();
        break;
    case REQUEST_OPS:
        report_ops();
        break;
    case REQUEST_MEMORY:
        report_memory();
        break;
    case REQUEST_RESET:
        reset();
        break;
    default:
        if (model->extension == NULL || model->extension(model, &reader, &writer) == 0) {
            answer_error(ERROR_UNKNOWN_REQUEST);
        }
        break;
    }
}

void tl_device_start(const tl_harness *harness)
{
    model = harness;
    done.sequence = DONE_NOTHING;
    writer.send = tl_uart_write;
    tl_frame_reader_init(&reader);
}

void tl_device_init(const tl_harness *harness)
{
    tl_device_start(harness);
    identify(EVENT_HELLO);
}

/* Program counter and link register as stacked (DDI 0403E B1.5.6), and what the core says about the fault. The board
 * then starts anew. */
void tl_device_report_fault(const uint32_t *frame)
{
    writer.send = tl_uart_write;
    tl_frame_begin(&writer, EVENT_FAULT, 0, 20);
    tl_frame_write_u32(&writer, frame[6]);
    tl_frame_write_u32(&writer, frame[5]);
    tl_frame_write_u32(&writer, frame[7]);
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
    tl_frame_write_u32(&writer, 0);
    tl_frame_write_u32(&writer, 0);
#else
    tl_frame_write_u32(&writer, TL_REGISTER(0xE000ED28U)); /* CFSR */
    tl_frame_write_u32(&writer, TL_REGISTER(0xE000ED2CU)); /* HFSR */
#endif
    tl_frame_end(&writer);
    tl_uart_flush();
    tl_reset();
}
