/* SPDX-License-Identifier: MIT
 * The device's side of the MLPerf Tiny serial protocol (mlcommons/tiny, benchmark/api, commit 1afd2c9): commands end in
 * %, every answer ends in the line m-ready. */
#include "tl_harness.h"
#include "tl_print.h"

#define COMMAND_BYTES_MAX 80U
#define PRINT_LINE_BYTES 8U
#define WARMUPS_DEFAULT 10U
#define WORDS_MAX 4U

static const tl_harness *model;
static char command[COMMAND_BYTES_MAX];
static uint32_t command_bytes;
static uint32_t expected_bytes;
static uint32_t loaded_bytes;

static void line(const char *before, uint32_t value, const char *after)
{
    tl_print(before);
    tl_print_int((int32_t)value);
    tl_print(after);
    tl_print("\r\n");
}

/* As printf's %0.3f; beyond 2 * 10^6 the last digits are not exact. */
static void print_milli(float value)
{
    if (value < 0.0F) {
        tl_print("-");
        value = -value;
    }
    if (!(value < 2000000.0F)) {
        tl_print(value == value ? "2000000.000" : "nan");
        return;
    }
    const uint32_t milli = (uint32_t)(value * 1000.0F + 0.5F);
    tl_print_int((int32_t)(milli / 1000U));
    const char digits[5] = {
        '.',
        (char)('0' + milli / 100U % 10U),
        (char)('0' + milli / 10U % 10U),
        (char)('0' + milli % 10U),
        '\0',
    };
    tl_print(digits);
}

/* Of an autoencoder: mean squared difference of output and input, in real values. The input is what the host sent. */
static float reconstruction_error(const tl_harness_tensor *output)
{
    const uint32_t count = tl_harness_elements(output);
    float sum = 0.0F;
    tl_harness_load(model);
    for (uint32_t i = 0; i < count; ++i) {
        float input;
        if (model->form == TL_INPUT_FLOAT32) {
            memcpy(&input, model->buffer + 4U * i, 4);
        } else {
            input = tl_harness_value(&model->inputs[0], i);
        }
        const float difference = tl_harness_value(output, i) - input;
        sum += difference * difference;
    }
    return sum / (float)count;
}

static void results(void)
{
    const tl_harness_tensor *output = &model->outputs[0];
    const uint32_t count = tl_harness_elements(output);
    tl_print("m-results-[");
    if (count == tl_harness_elements(&model->inputs[0])) {
        print_milli(reconstruction_error(output));
    } else {
        for (uint32_t i = 0; i < count; ++i) {
            tl_print(i > 0 ? "," : "");
            print_milli(tl_harness_value(output, i));
        }
    }
    tl_print("]\r\n");
}

static void timestamp(void)
{
    /* A text of up to 20 digits; tl_print_int has 32 bits. */
    char digits[21];
    char *at = &digits[20];
    uint64_t rest = tl_time_microseconds();
    *at = '\0';
    do {
        *--at = (char)('0' + (uint32_t)(rest % 10U));
        rest /= 10U;
    } while (rest > 0);
    tl_print("m-lap-us-");
    tl_print(at);
    tl_print("\r\n");
}

static void infer(uint32_t count, uint32_t warmups)
{
    uint64_t cycles;
    int32_t status = 0;
    line("m-warmup-start-", warmups, "");
    for (; warmups > 0 && status == 0; --warmups) {
        status = tl_harness_infer(model, &cycles);
    }
    tl_print("m-warmup-done\r\n");
    line("m-infer-start-", count, "");
    timestamp();
    for (; count > 0 && status == 0; --count) {
        status = tl_harness_infer(model, &cycles);
    }
    timestamp();
    tl_print("m-infer-done\r\n");
    if (status != 0) {
        line("e-[Inference returned ", (uint32_t)status, "]");
    } else {
        results();
    }
}

static int32_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void load_hex(const char *text)
{
    if ((strlen(text) & 1U) != 0) {
        tl_print("e-[Insufficent number of hex digits]\r\n");
        return;
    }
    for (; *text != '\0'; text += 2) {
        const int32_t high = hex_digit(text[0]);
        const int32_t low = hex_digit(text[1]);
        if (high < 0 || low < 0) {
            tl_print("e-[Invalid hex digit]\r\n");
            return;
        }
        if (loaded_bytes >= expected_bytes) {
            tl_print("e-[More bytes than expected]\r\n");
            return;
        }
        model->buffer[loaded_bytes++] = (uint8_t)(high * 16 + low);
        if (loaded_bytes == expected_bytes) {
            tl_print("m-load-done\r\n");
            return;
        }
    }
}

/* A decimal number; anything else is 0. */
static uint32_t number(const char *text)
{
    uint32_t value = 0;
    for (; *text >= '0' && *text <= '9' && value < 100000000U; ++text) {
        value = value * 10U + (uint32_t)(*text - '0');
    }
    return *text == '\0' ? value : 0;
}

static void print_buffer(uint32_t count, uint32_t offset)
{
    const uint32_t end = count < expected_bytes - offset ? offset + count : expected_bytes;
    for (uint32_t i = offset; i < end; ++i) {
        const uint32_t column = (i - offset) % PRINT_LINE_BYTES;
        const uint8_t byte = model->buffer[i];
        const char hex[3] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15U], '\0'};
        tl_print(column == 0 ? "m-buffer-" : "-");
        tl_print(hex);
        if (column == PRINT_LINE_BYTES - 1U || i + 1U == end) {
            tl_print("\r\n");
        }
    }
}

static void buffer_command(char *const *words, uint32_t count)
{
    if (count < 2U) {
        tl_print("e-[Command 'db' requires a subcommand]\r\n");
    } else if (strcmp(words[1], "load") == 0) {
        const uint32_t bytes = count < 3U ? 0 : number(words[2]);
        if (bytes == 0) {
            tl_print("e-[Command 'db load' must be >0 bytes]\r\n");
        } else if (bytes != model->buffer_bytes) {
            line("e-[This model takes ", model->buffer_bytes, " bytes]");
        } else {
            expected_bytes = bytes;
            loaded_bytes = 0;
            line("m-[Expecting ", bytes, " bytes]");
        }
    } else if (strcmp(words[1], "print") == 0) {
        const uint32_t offset = count < 4U ? 0 : number(words[3]);
        print_buffer(count < 3U ? 16U : number(words[2]), offset < expected_bytes ? offset : expected_bytes);
    } else {
        load_hex(words[1]);
    }
}

static void infer_command(char *const *words, uint32_t count)
{
    const uint32_t iterations = count < 2U ? 1U : number(words[1]);
    if (iterations == 0) {
        tl_print("e-[Inference iterations must be >0]\r\n");
    } else if (loaded_bytes == 0 || loaded_bytes != expected_bytes) {
        tl_print("e-[No input is loaded]\r\n");
    } else {
        infer(iterations, count < 3U ? WARMUPS_DEFAULT : number(words[2]));
    }
}

static void help(void)
{
    tl_print("thumbelina, MLPerf Tiny protocol\r\n\r\n"
             "help, name, profile, timestamp\r\n"
             "db load N    : expect N bytes\r\n"
             "db HH[HH]*   : load bytes\r\n"
             "db print [N=16] [OFFSET=0]\r\n"
             "infer N [W=10] : N inferences after W warm-ups\r\n"
             "results      : the last result\r\n");
}

static void execute(void)
{
    char *words[WORDS_MAX];
    uint32_t count = 0;
    for (char *at = command; *at != '\0' && count < WORDS_MAX;) {
        while (*at == ' ' || *at == '\r' || *at == '\n') {
            *at++ = '\0';
        }
        if (*at != '\0') {
            words[count++] = at;
        }
        while (*at != '\0' && *at != ' ' && *at != '\r' && *at != '\n') {
            ++at;
        }
        if (*at != '\0') {
            *at++ = '\0';
        }
    }
    if (count == 0) {
        /* An empty command only asks whether someone is there. */
    } else if (strcmp(words[0], "name") == 0) {
        tl_print("m-name-dut-[thumbelina]\r\n");
    } else if (strcmp(words[0], "profile") == 0) {
        tl_print("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[");
        tl_print(model->mlperf_id);
        tl_print("]\r\n");
    } else if (strcmp(words[0], "timestamp") == 0) {
        timestamp();
    } else if (strcmp(words[0], "db") == 0) {
        buffer_command(words, count);
    } else if (strcmp(words[0], "infer") == 0) {
        infer_command(words, count);
    } else if (strcmp(words[0], "results") == 0) {
        results();
    } else if (strcmp(words[0], "help") == 0) {
        help();
    } else {
        tl_print("e-[Unknown command: ");
        tl_print(words[0]);
        tl_print("]\r\n");
    }
    tl_print("m-ready\r\n");
}

void tl_mlperf_receive(uint8_t byte)
{
    if (byte == '%') {
        if (command_bytes < COMMAND_BYTES_MAX) {
            command[command_bytes] = '\0';
            execute();
        } else {
            tl_print("e-[Command too long]\r\nm-ready\r\n");
        }
        command_bytes = 0;
    } else if (command_bytes < COMMAND_BYTES_MAX) {
        command[command_bytes++] = (char)byte;
    }
}

void tl_mlperf_init(const tl_harness *harness)
{
    model = harness;
    tl_print("m-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n");
}
