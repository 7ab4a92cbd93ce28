/* SPDX-License-Identifier: MIT
 * Requests of the framed protocol that a model which learns answers: docs/protocol.md. What a request that comes again
 * must not do twice (a step, a write to flash) is answered as before. */
#include "tl_audio.h"
#include "tl_device.h"
#include "tl_harness.h"
#include "tl_learner.h"

#define ANSWER_WORDS_MAX 8U
/* Of a decision system: no window is due after these frames. */
#define STATUS_NO_WINDOW 0xFFFFFFFEU

/* The last step or commit, and the number of the request that asked for it. */
static struct {
    uint32_t sequence;
    uint32_t kind;
    uint32_t words[ANSWER_WORDS_MAX];
    uint32_t count;
} done = {DONE_NOTHING, 0, {0}, 0};

/* Since the start or a rollback: samples, and the sum of their losses in bits, Q10. */
static uint32_t samples;
static uint32_t loss_q10;

static void
answer(const tl_frame_reader *reader, tl_frame_writer *writer, uint32_t kind, const uint32_t *words, uint32_t count)
{
    tl_frame_begin(writer, (uint8_t)kind, tl_frame_sequence(reader), 4U * count);
    for (uint32_t i = 0; i < count; ++i) {
        tl_frame_write_u32(writer, words[i]);
    }
    tl_frame_end(writer);
}

static void keep(const tl_frame_reader *reader, uint32_t kind, const uint32_t *words, uint32_t count)
{
    done.sequence = tl_frame_sequence(reader);
    done.kind = kind;
    done.count = count;
    memcpy(done.words, words, 4U * count);
}

static void error(const tl_frame_reader *reader, tl_frame_writer *writer, uint32_t code)
{
    answer(reader, writer, ANSWER_ERROR, &code, 1);
}

/* Label, and the CRC-32 of the whole input. */
static void adapt(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    const tl_learner *learner = harness->learner;
    const uint8_t *payload = tl_frame_payload(reader);
    if (tl_frame_payload_bytes(reader) != 8U) {
        error(reader, writer, ERROR_RANGE);
        return;
    }
    const uint32_t label = tl_frame_u32(payload);
    if (label >= (uint32_t)tl_learner_classes(learner)) {
        error(reader, writer, ERROR_LABEL);
        return;
    }
    if (tl_crc32(0, harness->buffer, harness->buffer_bytes) != tl_frame_u32(payload + 4)) {
        error(reader, writer, ERROR_INPUT);
        return;
    }
    uint32_t words[7] = {0};
    uint64_t cycles;
    words[0] = (uint32_t)tl_harness_infer(harness, &cycles);
    if (words[0] == 0) {
        const uint32_t start = (uint32_t)tl_time_cycles();
        const int32_t probability =
            harness->learn != NULL ? harness->learn((int32_t)label) : tl_learner_learn(learner, (int32_t)label);
        words[6] = (uint32_t)tl_time_cycles() - start;
        words[2] = (uint32_t)probability;
        if (probability < 0) {
            words[0] = STATUS_NO_WINDOW;
        } else {
            ++samples;
            loss_q10 += (uint32_t)(15 * 1024 - tl_log2_q10((uint64_t)(probability > 0 ? probability : 1)));
        }
        /* Scores are those of before the step. */
        for (int32_t c = 1; c < tl_learner_classes(learner); ++c) {
            words[1] = learner->scores[c] > learner->scores[words[1]] ? (uint32_t)c : words[1];
        }
    }
    words[3] = learner->record->steps;
    words[4] = (uint32_t)cycles;
    words[5] = (uint32_t)(cycles >> 32);
    keep(reader, REQUEST_ADAPT | ANSWER, words, 7);
    answer(reader, writer, REQUEST_ADAPT | ANSWER, words, 7);
}

static void commit(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    const int32_t result = tl_learner_commit(harness->learner);
    if (result != 0) {
        error(reader, writer, result == TL_LEARNER_NO_FLASH ? ERROR_NO_FLASH : ERROR_FLASH);
        return;
    }
    keep(reader, REQUEST_COMMIT | ANSWER, &harness->learner->record->steps, 1);
    answer(reader, writer, REQUEST_COMMIT | ANSWER, &harness->learner->record->steps, 1);
}

/* 0: what was committed last, 1: the model as it came. */
static void rollback(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    if (tl_frame_payload_bytes(reader) != 4U || tl_frame_u32(tl_frame_payload(reader)) > 1U) {
        error(reader, writer, ERROR_RANGE);
        return;
    }
    uint32_t words[2] = {0, 0};
    if (tl_frame_u32(tl_frame_payload(reader)) == 0) {
        words[0] = (uint32_t)tl_learner_start(harness->learner);
    } else {
        tl_learner_restart(harness->learner);
    }
    samples = 0;
    loss_q10 = 0;
    words[1] = harness->learner->record->steps;
    answer(reader, writer, REQUEST_ROLLBACK | ANSWER, words, 2);
}

static void report(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    const tl_learner *learner = harness->learner;
    const tl_learner_record *kept =
        learner->flash == NULL ? NULL : (const tl_learner_record *)tl_store_read(learner->flash, learner->record_bytes);
    const int32_t is_ours = kept != NULL && kept->identity == learner->identity;
    const uint32_t words[7] = {
        learner->record->steps,
        is_ours != 0 ? 1U : 0U,
        is_ours != 0 ? kept->steps : 0U,
        samples,
        samples == 0 ? 0U : loss_q10 / samples,
        learner->record_bytes,
        learner->flash == NULL ? 0U : learner->flash->slot_bytes,
    };
    answer(reader, writer, REQUEST_LEARNED | ANSWER, words, 7);
}

/* Offset into the record, and how many bytes. */
static void read_weights(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    const uint8_t *payload = tl_frame_payload(reader);
    const uint32_t all = harness->learner->record_bytes;
    const uint32_t offset = tl_frame_payload_bytes(reader) == 8U ? tl_frame_u32(payload) : all;
    const uint32_t bytes = tl_frame_payload_bytes(reader) == 8U ? tl_frame_u32(payload + 4) : 1U;
    if (offset > all || bytes > all - offset || bytes > TL_FRAME_PAYLOAD_MAX) {
        error(reader, writer, ERROR_RANGE);
        return;
    }
    tl_frame_begin(writer, REQUEST_WEIGHTS | ANSWER, tl_frame_sequence(reader), bytes);
    tl_frame_write(writer, (const uint8_t *)harness->learner->record + offset, bytes);
    tl_frame_end(writer);
}

int32_t tl_device_adapt(const tl_harness *harness, const tl_frame_reader *reader, tl_frame_writer *writer)
{
    const uint32_t kind = tl_frame_kind(reader);
    if (kind == REQUEST_IDENTIFY) {
        done.sequence = DONE_NOTHING; /* a host that has just come counts anew */
        return 0;
    }
    if (done.sequence == tl_frame_sequence(reader) && done.kind == (kind | ANSWER)) {
        answer(reader, writer, done.kind, done.words, done.count);
        return 1;
    }
    switch (kind) {
    case REQUEST_ADAPT:
        adapt(harness, reader, writer);
        return 1;
    case REQUEST_COMMIT:
        commit(harness, reader, writer);
        return 1;
    case REQUEST_ROLLBACK:
        rollback(harness, reader, writer);
        return 1;
    case REQUEST_LEARNED:
        report(harness, reader, writer);
        return 1;
    case REQUEST_WEIGHTS:
        read_weights(harness, reader, writer);
        return 1;
    case REQUEST_RESTART:
        if (harness->restart == NULL) {
            return 0;
        }
        harness->restart();
        answer(reader, writer, REQUEST_RESTART | ANSWER, NULL, 0);
        return 1;
    default:
        return 0;
    }
}
