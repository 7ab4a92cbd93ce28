/* SPDX-License-Identifier: MIT
 * Refer header file for details. */
#include "tl_harness.h"

uint32_t tl_harness_elements(const tl_harness_tensor *tensor)
{
    static const uint8_t element_bytes[] = {1, 1, 2, 4, 1};
    return tensor->bytes / element_bytes[tensor->element];
}

static int32_t clamp(float value, int32_t min, int32_t max)
{
    if (!(value > (float)min)) {
        return min;
    }
    if (value > (float)max) {
        return max;
    }
    /* Half away from zero, as TensorFlow Lite quantizes. */
    return (int32_t)(value < 0.0F ? value - 0.5F : value + 0.5F);
}

static void quantize(const tl_harness_tensor *tensor, const uint8_t *floats)
{
    const uint32_t count = tl_harness_elements(tensor);
    for (uint32_t i = 0; i < count; ++i) {
        float value;
        memcpy(&value, floats + 4U * i, 4);
        const float steps = value / tensor->scale + (float)tensor->zero_point;
        if (tensor->element == TL_ELEMENT_INT16) {
            ((int16_t *)(void *)tensor->data)[i] = (int16_t)clamp(steps, INT16_MIN, INT16_MAX);
        } else if (tensor->element == TL_ELEMENT_INT8) {
            ((int8_t *)tensor->data)[i] = (int8_t)clamp(steps, INT8_MIN, INT8_MAX);
        } else if (tensor->element == TL_ELEMENT_UINT8) {
            tensor->data[i] = (uint8_t)clamp(steps, 0, UINT8_MAX);
        } else {
            memcpy(tensor->data + 4U * i, &value, 4);
        }
    }
}

void tl_harness_load(const tl_harness *harness)
{
    const uint8_t *next = harness->buffer;
    for (uint32_t index = 0; index < harness->input_count; ++index) {
        const tl_harness_tensor *tensor = &harness->inputs[index];
        if (harness->form == TL_INPUT_FLOAT32) {
            quantize(tensor, next);
            next += 4U * tl_harness_elements(tensor);
            continue;
        }
        memcpy(tensor->data, next, tensor->bytes);
        next += tensor->bytes;
        if (harness->form == TL_INPUT_UINT8) {
            for (uint32_t i = 0; i < tensor->bytes; ++i) {
                tensor->data[i] ^= 0x80U;
            }
        }
    }
}

int32_t tl_harness_infer(const tl_harness *harness, uint64_t *cycles)
{
    tl_harness_load(harness);
    const uint64_t start = tl_time_cycles();
    const int32_t status = harness->invoke();
    *cycles = tl_time_cycles() - start;
    return status;
}

float tl_harness_value(const tl_harness_tensor *tensor, uint32_t index)
{
    int32_t raw;
    switch (tensor->element) {
    case TL_ELEMENT_INT16:
        raw = ((const int16_t *)(const void *)tensor->data)[index];
        break;
    case TL_ELEMENT_FLOAT32: {
        float value;
        memcpy(&value, tensor->data + 4U * index, 4);
        return value;
    }
    case TL_ELEMENT_INT8:
        raw = ((const int8_t *)tensor->data)[index];
        break;
    default:
        raw = tensor->data[index];
        break;
    }
    return tensor->scale * (float)(raw - tensor->zero_point);
}

void tl_harness_serve(void (*receive)(uint8_t byte))
{
    for (;;) {
        const int32_t byte = tl_uart_read();
        if (byte >= 0) {
            receive((uint8_t)byte);
        } else {
            (void)tl_time_cycles(); /* often enough for its 32 bits */
        }
    }
}
