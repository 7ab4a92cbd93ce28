/* SPDX-License-Identifier: MIT
 * Frames of the device protocol (docs/protocol.md): header, payload and CRC-32, COBS-encoded (Cheshire and Baker,
 * "Consistent Overhead Byte Stuffing", 1999) between zero bytes, so that the zero after any disturbance begins anew.
 * Nothing here knows the board: the same code is tested on the host. */
#ifndef TL_FRAME_H
#define TL_FRAME_H

#include "tl_crc32.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_FRAME_VERSION 1U
/** Version, kind, sequence number and payload length, little-endian. */
#define TL_FRAME_HEADER_BYTES 6U
#define TL_FRAME_CRC_BYTES 4U
/** Of what the device takes; what it sends may be longer. */
#define TL_FRAME_PAYLOAD_MAX 512U
#define TL_FRAME_BYTES_MAX (TL_FRAME_HEADER_BYTES + TL_FRAME_PAYLOAD_MAX + TL_FRAME_CRC_BYTES)

/** Bytes of one COBS block. */
#define TL_FRAME_BLOCK_BYTES 254U

typedef enum {
    TL_FRAME_MORE,  /**< inside a frame, or outside any */
    TL_FRAME_READY, /**< `bytes` holds a whole, undamaged frame until the next call */
    TL_FRAME_BROKEN /**< what came between two zeros is no frame, or one of another version */
} tl_frame_state;

typedef struct {
    uint8_t bytes[TL_FRAME_BYTES_MAX];
    uint32_t length;
    uint8_t block_left; /**< bytes until the next code byte */
    uint8_t zero_due;   /**< a zero stands between this block and the next */
    uint8_t started;
    uint8_t broken;
} tl_frame_reader;

void tl_frame_reader_init(tl_frame_reader *reader);

/** One byte of the line. */
tl_frame_state tl_frame_read(tl_frame_reader *reader, uint8_t byte);

static inline uint8_t tl_frame_kind(const tl_frame_reader *reader)
{
    return reader->bytes[1];
}

static inline uint16_t tl_frame_sequence(const tl_frame_reader *reader)
{
    return (uint16_t)(reader->bytes[2] | (reader->bytes[3] << 8));
}

static inline const uint8_t *tl_frame_payload(const tl_frame_reader *reader)
{
    return &reader->bytes[TL_FRAME_HEADER_BYTES];
}

static inline uint32_t tl_frame_payload_bytes(const tl_frame_reader *reader)
{
    return (uint32_t)(reader->bytes[4] | (reader->bytes[5] << 8));
}

/** Little-endian, of any alignment. */
static inline uint32_t tl_frame_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

typedef struct {
    void (*send)(uint8_t byte);
    uint32_t crc;
    uint32_t count;
    uint8_t block[TL_FRAME_BLOCK_BYTES];
} tl_frame_writer;

/** @param[in] payload_bytes  0..65535, what the calls of tl_frame_write up to tl_frame_end add up to */
void tl_frame_begin(tl_frame_writer *writer, uint8_t kind, uint16_t sequence, uint32_t payload_bytes);
void tl_frame_write(tl_frame_writer *writer, const void *bytes, uint32_t count);
void tl_frame_write_u32(tl_frame_writer *writer, uint32_t value);
void tl_frame_end(tl_frame_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
