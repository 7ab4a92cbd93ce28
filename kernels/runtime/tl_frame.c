/* SPDX-License-Identifier: MIT
 * Refer header file for details. */
#include "tl_frame.h"

void tl_frame_reader_init(tl_frame_reader *reader)
{
    reader->length = 0;
    reader->block_left = 0;
    reader->zero_due = 0;
    reader->started = 0;
    reader->broken = 0;
}

static void append(tl_frame_reader *reader, uint8_t byte)
{
    if (reader->length < TL_FRAME_BYTES_MAX) {
        reader->bytes[reader->length++] = byte;
    } else {
        reader->broken = 1;
    }
}

static int is_whole(const tl_frame_reader *reader)
{
    const uint8_t *bytes = reader->bytes;
    if (reader->broken || reader->block_left != 0 || reader->length < TL_FRAME_HEADER_BYTES + TL_FRAME_CRC_BYTES) {
        return 0;
    }
    const uint32_t covered = reader->length - TL_FRAME_CRC_BYTES;
    if (bytes[0] != TL_FRAME_VERSION || tl_frame_payload_bytes(reader) + TL_FRAME_HEADER_BYTES != covered) {
        return 0;
    }
    return tl_crc32(0, bytes, covered) == tl_frame_u32(bytes + covered);
}

tl_frame_state tl_frame_read(tl_frame_reader *reader, uint8_t byte)
{
    if (byte == 0) {
        const uint8_t started = reader->started;
        const int whole = is_whole(reader);
        tl_frame_reader_init(reader); /* leaves `bytes` as they are */
        if (!started) {
            return TL_FRAME_MORE;
        }
        return whole ? TL_FRAME_READY : TL_FRAME_BROKEN;
    }
    reader->started = 1;
    if (reader->block_left > 0) {
        append(reader, byte);
        --reader->block_left;
    } else {
        if (reader->zero_due) {
            append(reader, 0);
        }
        reader->block_left = (uint8_t)(byte - 1U);
        reader->zero_due = byte != 0xFFU;
    }
    return TL_FRAME_MORE;
}

static void send_block(tl_frame_writer *writer)
{
    writer->send((uint8_t)(writer->count + 1U));
    for (uint32_t i = 0; i < writer->count; ++i) {
        writer->send(writer->block[i]);
    }
    writer->count = 0;
}

static void encode(tl_frame_writer *writer, const void *bytes, uint32_t count)
{
    const uint8_t *next = (const uint8_t *)bytes;
    for (; count > 0; --count) {
        const uint8_t byte = *next++;
        if (byte != 0) {
            writer->block[writer->count++] = byte;
        }
        if (byte == 0 || writer->count == TL_FRAME_BLOCK_BYTES) {
            send_block(writer);
        }
    }
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
}

void tl_frame_begin(tl_frame_writer *writer, uint8_t kind, uint16_t sequence, uint32_t payload_bytes)
{
    const uint8_t header[TL_FRAME_HEADER_BYTES] = {
        (uint8_t)TL_FRAME_VERSION,
        kind,
        (uint8_t)sequence,
        (uint8_t)(sequence >> 8),
        (uint8_t)payload_bytes,
        (uint8_t)(payload_bytes >> 8),
    };
    writer->crc = 0;
    writer->count = 0;
    writer->send(0);
    tl_frame_write(writer, header, TL_FRAME_HEADER_BYTES);
}

void tl_frame_write(tl_frame_writer *writer, const void *bytes, uint32_t count)
{
    writer->crc = tl_crc32(writer->crc, bytes, count);
    encode(writer, bytes, count);
}

void tl_frame_write_u32(tl_frame_writer *writer, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    tl_frame_write(writer, bytes, 4);
}

void tl_frame_end(tl_frame_writer *writer)
{
    uint8_t crc[TL_FRAME_CRC_BYTES];
    put_u32(crc, writer->crc);
    encode(writer, crc, TL_FRAME_CRC_BYTES);
    /* The decoder appends a zero before every block but the first, unless the one before was full. */
    send_block(writer);
    writer->send(0);
}
