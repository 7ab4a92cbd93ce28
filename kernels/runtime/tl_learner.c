/* SPDX-License-Identifier: MIT
 * Refer header file for details. */
#include <string.h>

#include "tl_learner.h"

static int32_t count_of(const tl_learner *learner, int32_t layer)
{
    const tl_adapt_layer *one = &learner->params->layers[layer];
    return one->outputs * (one->size + 1);
}

/* By layer, where its weights are in the record. */
static void
weights_of(const tl_learner *learner, tl_adapt_weights fixed[TL_ADAPT_LAYERS_MAX], float *floats[TL_ADAPT_LAYERS_MAX])
{
    uint8_t *next = (uint8_t *)(learner->record + 1);
    for (int32_t i = 0; i < learner->params->layer_count; ++i) {
        const uint32_t bytes = (learner->rates != NULL ? 4U : 2U) * (uint32_t)count_of(learner, i);
        floats[i] = (float *)(void *)next;
        fixed[i].exponent = learner->record->exponents[i];
        fixed[i].weights = (int16_t *)(void *)next;
        next += bytes;
    }
}

/* Brings what was learned into the form that decides: 8-bit layers, or a head's 16-bit weights. */
static void quantize(const tl_learner *learner)
{
    tl_adapt_weights fixed[TL_ADAPT_LAYERS_MAX];
    float *floats[TL_ADAPT_LAYERS_MAX];
    weights_of(learner, fixed, floats);
    if (learner->inference == NULL) {
        if (learner->rates != NULL) {
            tl_adapt_weights_s16(floats[0], count_of(learner, 0), 0, learner->rounded);
        }
        return;
    }
    for (int32_t i = 0; i < learner->params->layer_count; ++i) {
        if (learner->rates != NULL) {
            fixed[i].weights = (int16_t *)(void *)(learner->arena + learner->work_at);
            tl_adapt_weights_s16(floats[i], count_of(learner, i), 0, &fixed[i]);
        }
        tl_adapt_quantize_s8(&learner->params->layers[i],
                             &fixed[i],
                             learner->calibration == NULL ? NULL : &learner->calibration[i],
                             &learner->inference[i]);
    }
}

void tl_learner_restart(const tl_learner *learner)
{
    tl_adapt_weights fixed[TL_ADAPT_LAYERS_MAX];
    float *floats[TL_ADAPT_LAYERS_MAX];
    memset(learner->record, 0, learner->record_bytes);
    learner->record->identity = learner->identity;
    weights_of(learner, fixed, floats);
    for (int32_t i = 0; i < learner->params->layer_count; ++i) {
        if (learner->rates == NULL) {
            learner->record->exponents[i] = learner->exponents[i];
            memcpy(fixed[i].weights, learner->initial[i], 2U * (uint32_t)count_of(learner, i));
            continue;
        }
        float step = 1.0f;
        for (int32_t bit = 0; bit < learner->exponents[i]; ++bit) {
            step *= 0.5f;
        }
        for (int32_t at = 0; at < count_of(learner, i); ++at) {
            floats[i][at] = (float)learner->initial[i][at] * step;
        }
    }
    quantize(learner);
}

int32_t tl_learner_start(const tl_learner *learner)
{
    const tl_learner_record *kept =
        learner->flash == NULL ? NULL : (const tl_learner_record *)tl_store_read(learner->flash, learner->record_bytes);
    if (kept == NULL || kept->identity != learner->identity) {
        tl_learner_restart(learner);
        return 0;
    }
    memcpy(learner->record, kept, learner->record_bytes);
    quantize(learner);
    return 1;
}

int32_t tl_learner_infer(const tl_learner *learner)
{
    const int32_t status = learner->encode(learner->arena);
    if (status != 0) {
        return status;
    }
    const int32_t *scale = learner->scale;
    if (scale == NULL) {
        scale = (const int32_t *)learner->output(learner->arena, 1);
    }
    tl_adapt_features_s16((const int8_t *)learner->output(learner->arena, 0),
                          learner->params->layers[0].size,
                          scale,
                          learner->inverse,
                          learner->features);
    tl_adapt_classify_s8(learner->params,
                         learner->inference,
                         learner->calibration,
                         learner->features,
                         (int16_t *)(void *)(learner->arena + learner->hidden_at),
                         (int32_t *)(void *)(learner->arena + learner->back_at),
                         learner->scores);
    return 0;
}

int32_t tl_learner_logits(const tl_learner *learner, int32_t *logits)
{
    tl_adapt_weights fixed[TL_ADAPT_LAYERS_MAX];
    float *floats[TL_ADAPT_LAYERS_MAX];
    tl_adapt_scratch scratch;
    weights_of(learner, fixed, floats);
    scratch.logits = logits;
    return tl_adapt_forward_s16(learner->params,
                                learner->rates != NULL ? learner->rounded : fixed,
                                learner->features,
                                &scratch);
}

int32_t tl_learner_learn(const tl_learner *learner, int32_t label)
{
    tl_adapt_weights fixed[TL_ADAPT_LAYERS_MAX];
    float *floats[TL_ADAPT_LAYERS_MAX];
    int32_t probability;
    weights_of(learner, fixed, floats);
    if (learner->rates != NULL) {
        float *scratch = (float *)(void *)(learner->arena + learner->logits_at);
        probability = tl_adapt_step_f32(learner->params, learner->rates, floats, learner->features, label, scratch);
    } else {
        tl_adapt_scratch scratch;
        scratch.hidden = (int16_t *)(void *)(learner->arena + learner->hidden_at);
        scratch.back = (int32_t *)(void *)(learner->arena + learner->back_at);
        scratch.logits = (int32_t *)(void *)(learner->arena + learner->logits_at);
        scratch.delta = (int32_t *)(void *)(learner->arena + learner->delta_at);
        scratch.samples = 0;
        for (int32_t i = 0; i < learner->params->layer_count; ++i) {
            scratch.gradient[i] = (int32_t *)(void *)(learner->arena + learner->gradient_at[i]);
            memset(scratch.gradient[i], 0, 4U * (uint32_t)count_of(learner, i));
        }
        probability = tl_adapt_accumulate_s16(learner->params, fixed, learner->features, label, &scratch);
        tl_adapt_apply_s16(learner->params, fixed, &scratch, NULL);
        for (int32_t i = 0; i < learner->params->layer_count; ++i) {
            learner->record->exponents[i] = fixed[i].exponent;
        }
    }
    ++learner->record->steps;
    quantize(learner);
    return probability;
}

int32_t tl_learner_commit(const tl_learner *learner)
{
    if (learner->flash == NULL) {
        return TL_LEARNER_NO_FLASH;
    }
    return tl_store_write(learner->flash, learner->record, learner->record_bytes) == 0 ? 0 : TL_LEARNER_WRITE_FAILED;
}
