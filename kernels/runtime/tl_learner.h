/* SPDX-License-Identifier: MIT
 * A classifier whose last layers learn on the device: encoder, 8-bit classification, steps of gradient descent, and
 * what was learned in two slots of flash; or the head of a decision system, which decides with its 16-bit weights. What
 * the model is, generated code says; see firmware-gen/ir/adaptation.ts. */
#ifndef TL_LEARNER_H
#define TL_LEARNER_H

#include "tl_adaptation.h"
#include "tl_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is learned, and kept in flash. */
typedef struct {
    uint32_t identity; /* of model, layers and arithmetic: what another build has learned is not taken */
    uint32_t steps;
    int32_t exponents[TL_ADAPT_LAYERS_MAX];
    /* Weights follow, layer after layer: int16, or float. */
} tl_learner_record;

typedef struct tl_learner {
    const tl_adapt_params *params;
    const float *rates;                      /* by layer; NULL: 16 bit */
    const int16_t *const *initial;           /* by layer: weights as the model has them */
    const int32_t *exponents;                /* of initial */
    const tl_adapt_calibration *calibration; /* by layer; NULL: dynamic inference */
    const int32_t *scale;                    /* of the features; NULL: the encoder's output 1 */
    const int32_t *inverse;                  /* of the step of int16 features */
    uint32_t identity;
    uint32_t record_bytes; /* a multiple of TL_STORE_UNIT */
    tl_learner_record *record;
    tl_adapt_layer_s8 *inference; /* by layer; NULL: the head of a decision system */
    tl_adapt_weights *rounded;    /* of such a head in float: its weights in 16 bits; else NULL */
    int16_t *features;
    int32_t *scores; /* [classes] */
    /* These two not of a head. */
    int32_t (*encode)(void *arena);
    const void *(*output)(const void *arena, int32_t index);
    /* The encoder's arena; while it does not run, what learning needs lies there. */
    uint8_t *arena;
    uint32_t hidden_at;
    uint32_t back_at;
    uint32_t logits_at; /* float: the scratch of tl_adapt_step_f32 */
    uint32_t delta_at;
    uint32_t gradient_at[TL_ADAPT_LAYERS_MAX];
    uint32_t work_at;            /* float: weights of one layer in 16 bits */
    const tl_store_flash *flash; /* NULL: there is no driver */
} tl_learner;

enum { TL_LEARNER_NO_FLASH = -2, TL_LEARNER_WRITE_FAILED = -1 };

/** Takes what was committed last, or the model as it came. Returns 1 or 0. */
int32_t tl_learner_start(const tl_learner *learner);

/** The model as it came. */
void tl_learner_restart(const tl_learner *learner);

/** Encoder and classification of the inputs in the arena. Returns what the encoder returned, 0 expected. */
int32_t tl_learner_infer(const tl_learner *learner);

/** A head's logits for the features, Q16. Returns the index of the largest. @param[out] logits [classes] */
int32_t tl_learner_logits(const tl_learner *learner, int32_t *logits);

/** One step with the features of the last inference. Returns the probability that the label had before, Q15. @param
 * label 0..classes - 1 */
int32_t tl_learner_learn(const tl_learner *learner, int32_t label);

/** Writes what was learned to flash; a reset at any moment leaves this or what was there before. Returns 0, or why not.
 */
int32_t tl_learner_commit(const tl_learner *learner);

static inline int32_t tl_learner_classes(const tl_learner *learner)
{
    return learner->params->layers[learner->params->layer_count - 1].outputs;
}

#ifdef __cplusplus
}
#endif
#endif
