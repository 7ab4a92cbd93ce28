/* SPDX-License-Identifier: MIT
 * Numbers of the device protocol (docs/protocol.md), for those who answer requests. */
#ifndef TL_DEVICE_H
#define TL_DEVICE_H

#include "tl_frame.h"

/** Kinds of frames. */
enum {
    REQUEST_IDENTIFY = 0x01,
    REQUEST_WRITE = 0x02,
    REQUEST_INFER = 0x03,
    REQUEST_READ = 0x04,
    REQUEST_OPS = 0x05,
    REQUEST_MEMORY = 0x06,
    REQUEST_RESET = 0x07,
    REQUEST_ADAPT = 0x08,
    REQUEST_COMMIT = 0x09,
    REQUEST_ROLLBACK = 0x0A,
    REQUEST_LEARNED = 0x0B,
    REQUEST_WEIGHTS = 0x0C,
    REQUEST_RESTART = 0x0D,
    ANSWER = 0x80, /**< added to the request's kind */
    EVENT_HELLO = 0xC0,
    EVENT_FAULT = 0xC1,
    ANSWER_ERROR = 0xFF
};

/** Payload of ANSWER_ERROR. */
enum {
    ERROR_UNKNOWN_REQUEST = 1,
    ERROR_RANGE = 2,
    ERROR_INPUT = 3,
    ERROR_LABEL = 4,
    ERROR_NO_FLASH = 5,
    ERROR_FLASH = 6
};

/** No request has this sequence number. */
#define DONE_NOTHING 0x10000U

#endif
