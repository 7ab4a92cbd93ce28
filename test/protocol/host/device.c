/* SPDX-License-Identifier: MIT
 * A device on a computer: standard input and output are its UART, its model adds its inputs up. Or, with arguments N and SEED, N hostile
 * frames for the protocol's own code: random bytes, damaged frames, valid frames with random contents. */
#include "tl_frame.h"
#include "tl_harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_BYTES 1500
#define OUTPUT_BYTES 1300

/* The C library has a __data_start of its own. */
uint32_t __bss_end[1], __stack_top[1];

static uint8_t input[INPUT_BYTES];
static uint8_t output[OUTPUT_BYTES];
static uint8_t buffer[INPUT_BYTES];
static const uint8_t sha256[32] = {1, 2, 3};
static int quiet;
static uint32_t answers;

volatile uint32_t *host_register(uint32_t address)
{
    static volatile uint32_t word;
    word = address == 0xE000EFC0U ? 0x4D454C54U : 0x410FC241U;
    return &word;
}

uint32_t tl_cycles(void)
{
    static uint32_t cycles;
    return cycles += 1000U;
}

void tl_reset(void)
{
    exit(0);
}

uint32_t tl_harness_stack_bytes(void)
{
    return 4096;
}

uint32_t tl_harness_stack_used(void)
{
    return 123;
}

void tl_uart_flush(void)
{
    fflush(stdout);
}

void tl_uart_write(uint8_t byte)
{
    if (!quiet) {
        putchar(byte);
    } else if (byte == 0) {
        ++answers;
    }
}

int32_t tl_uart_read(void)
{
    fflush(stdout);
    const int byte = getchar();
    if (byte < 0) {
        exit(0);
    }
    return byte;
}

static int32_t invoke(void)
{
    uint8_t sum = 0;
    for (int i = 0; i < OUTPUT_BYTES; ++i) {
        sum = (uint8_t)(sum + input[i] * 7U + (uint8_t)i);
        output[i] = sum;
    }
    return 0;
}

static tl_harness_tensor inputs[1] = {{input, INPUT_BYTES, TL_ELEMENT_INT8, 0, 1.0F}};
static tl_harness_tensor outputs[2] = {{output, 300, TL_ELEMENT_INT8, 0, 1.0F}, {output + 300, 1000, TL_ELEMENT_INT8, 0, 1.0F}};
static const tl_harness harness = {
    .board = "host",
    .model = "sums",
    .mlperf_id = "sum01",
    .model_sha256 = sha256,
    .invoke = invoke,
    .inputs = inputs,
    .input_count = 1,
    .outputs = outputs,
    .output_count = 2,
    .buffer = buffer,
    .buffer_bytes = INPUT_BYTES,
    .form = TL_INPUT_RAW,
    .arena_bytes = 5000,
    .op_count = 0,
};

static uint32_t state;

static uint32_t next_random(void)
{
    state = state * 1664525U + 1013904223U;
    return state >> 8;
}

static uint8_t line[4096];
static uint32_t line_bytes;

static void record(uint8_t byte)
{
    if (line_bytes < sizeof(line)) {
        line[line_bytes++] = byte;
    }
}

/* A valid frame whose kind, length and contents are random. */
static void make_frame(void)
{
    static uint8_t payload[700];
    static tl_frame_writer writer;
    const uint32_t bytes = next_random() % (next_random() % 8U == 0 ? sizeof(payload) : 16U);
    uint8_t kind = (uint8_t)(next_random() % 9U);
    for (uint32_t i = 0; i < bytes; ++i) {
        payload[i] = next_random() % 4U == 0 ? (uint8_t)next_random() : 0;
    }
    if (kind == 7) {
        kind = 2; /* a reset would end the program */
    }
    /* Few inferences: their number is the first word. */
    if (kind == 3 && bytes >= 4) {
        payload[1] = payload[2] = payload[3] = 0;
    }
    line_bytes = 0;
    writer.send = record;
    tl_frame_begin(&writer, kind, (uint16_t)next_random(), bytes);
    tl_frame_write(&writer, payload, bytes);
    tl_frame_end(&writer);
}

static void fuzz(uint32_t frames)
{
    uint32_t valid = 0;
    static tl_frame_reader reader;
    quiet = 1;
    tl_frame_reader_init(&reader);
    for (uint32_t frame = 0; frame < frames; ++frame) {
        make_frame();
        const uint32_t kind = next_random() % 4U;
        if (kind == 1) {
            line[next_random() % line_bytes] ^= (uint8_t)(1U << (next_random() % 8U));
        } else if (kind == 2) {
            line_bytes -= next_random() % line_bytes;
        } else if (kind == 3) {
            for (uint32_t i = 0; i < line_bytes; ++i) {
                line[i] = (uint8_t)next_random();
            }
        }
        for (uint32_t i = 0; i < line_bytes; ++i) {
            valid += tl_frame_read(&reader, line[i]) == TL_FRAME_READY;
            tl_device_receive(line[i]);
        }
    }
    printf("%u frames, %u valid, %u delimiters sent\n", (unsigned)frames, (unsigned)valid, (unsigned)answers);
}

int main(int argc, char **argv)
{
    setvbuf(stdin, NULL, _IONBF, 0);
    tl_time_init();
    tl_device_start(&harness);
    if (argc == 3) {
        state = (uint32_t)strtoul(argv[2], NULL, 10);
        fuzz((uint32_t)strtoul(argv[1], NULL, 10));
        return 0;
    }
    if (argc == 2) {
        tl_both_init(&harness);
        tl_harness_serve(tl_both_receive);
    }
    tl_device_init(&harness);
    tl_harness_serve(tl_device_receive);
}
