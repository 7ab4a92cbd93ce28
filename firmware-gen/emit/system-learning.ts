/**
 * The parts of a decision system's C that learn: <name>_learn.c, which tells kernels/runtime/tl_learner.c about the head, and what the other files
 * say of it. What is learned lies in the system's state, what a step needs in its arena.
 */
import type { Board } from '../../boards/schema.ts';
import { hex32 } from '../../common/units.ts';
import { LOGIT_EXPONENTS, type HeadAdaptation } from '../ir/adaptation.ts';
import type { DecisionSystem } from '../ir/system.ts';
import { planAdaptation } from '../plan/adaptation.ts';
import { flashStore, flashStoreConstant, reservedBytes, type FlashStore } from './flash-store.ts';
import { canReceive, type HarnessOptions } from './harness-source.ts';
import { toIdentifier } from './identifier.ts';
import { identityOf, learnedConstants, recordBytesOf } from './learner-constants.ts';
import { headNow, phiArguments, phiParameters } from './system-dynamic.ts';
import type { LearningHeader } from './system-frame.ts';

/** A head that learns, as the emitter takes it. */
export interface SystemLearning {
  readonly adaptation: HeadAdaptation;
  /** Of the whole system, lower-case hex: what another one has learned is not taken. */
  readonly sha256: string;
}

/** What the rest of the emitter is told. */
export interface LearningPlan {
  readonly recordBytes: number;
  /** Null: no driver for this board's flash, or no board. */
  readonly store: FlashStore | null;
  readonly reservedFlashBytes: number;
  /** Of the encoder, or of a step. */
  readonly arenaBytes: number;
  /** What the image answers; null where the UART's driver only sends, and without a board. */
  readonly harness: HarnessOptions | null;
  /** Files of kernels/runtime. */
  readonly runtime: readonly string[];
}

const HARNESS: HarnessOptions = { protocol: 'device', mlperfId: 'adapt', input: 'raw' };

/** @param encoderBytes of the encoder's arena */
export function planLearning({ adaptation }: SystemLearning, board: Board | null, encoderBytes: number): LearningPlan {
  const recordBytes = recordBytesOf(adaptation);
  const store = board && flashStore(board, recordBytes);
  const harness = board && canReceive(board) ? HARNESS : null;
  return {
    ...{ recordBytes, store, harness, reservedFlashBytes: reservedBytes(store) },
    arenaBytes: Math.max(encoderBytes, planAdaptation(adaptation).arenaBytes),
    runtime: ['tl_learner.c', ...(store ? [store.driver] : []), ...(harness ? ['tl_device_adapt.c'] : [])],
  };
}

const isFloat = ({ adaptation }: SystemLearning): boolean => adaptation.options.arithmetic === 'float';

/** What the header says of learning. */
export function learningHeader(system: DecisionSystem, learning: SystemLearning, plan: LearningPlan): LearningHeader {
  return {
    state: learningState(system, learning, plan),
    arenaBytes: plan.arenaBytes,
    declarations: learningDeclarations(toIdentifier(system.name)),
  };
}

/** Fields of the state. */
function learningState({ head: { head } }: DecisionSystem, learning: SystemLearning, plan: LearningPlan): string {
  const rounded = isFloat(learning)
    ? `    tl_adapt_weights rounded; /* what was learned, in 16 bits */
    int16_t rounded_weights[${head.classes * (head.size + 1)}];
`
    : '';
  return `    int32_t learnable; /* 0: no window yet, 1: the newest is in the ring, 2: its features are here */
    int16_t features[${head.size}];
    int32_t logits[${head.classes}]; /* before the last step, Q16 */
    uint32_t record[${plan.recordBytes / 4}]; /* what was learned: tl_learner_record */
${rounded}`;
}

function learningDeclarations(name: string): string {
  return `
/* The head learns on the device. Once after the start, before anything else: takes what was committed last. Returns 1, or 0 for the head as trained. */
int32_t ${name}_recall(${name}_state *state);

/* One step of gradient descent: the window decided last, accepted or not, is of class \`label\`. Holds from the next decision on. Returns the probability
 * that the class had before, Q15; -1 for a label that is none, before the first decision, and when that window was rejected before it had features
 * and frames have been pushed since. */
int32_t ${name}_learn(${name}_state *state, void *arena, int32_t label);

/* Writes what was learned to flash, where it survives resets; a reset meanwhile leaves this or what was there before. Returns 0, or why not:
 * TL_LEARNER_NO_FLASH, TL_LEARNER_WRITE_FAILED. */
int32_t ${name}_commit(${name}_state *state);

/* The head as trained; what was committed stays in flash. */
void ${name}_forget(${name}_state *state);

/* The same for the functions of tl_learner.h, which tell more. @param arena NULL: for all but steps */
void ${name}_learner(${name}_state *state, void *arena, tl_learner *learner);
`;
}

/** <name>_learn.c */
export function learningSource(
  system: DecisionSystem,
  learning: SystemLearning,
  plan: LearningPlan,
  opening: string,
): string {
  const name = toIdentifier(system.name);
  const { store } = plan;
  return [
    opening,
    `#include "${name}.h"`,
    ...(store === null ? [] : ['#include "tl_flash.h"']),
    '',
    learnedConstants(learning.adaptation),
    ...(store === null ? [] : [flashStoreConstant(store)]),
    learnerOf(name, learning, plan),
    `int32_t ${name}_recall(${name}_state *state)
{
    tl_learner learner;
    ${name}_learner(state, NULL, &learner);
    return tl_learner_start(&learner);
}

int32_t ${name}_commit(${name}_state *state)
{
    tl_learner learner;
    ${name}_learner(state, NULL, &learner);
    return tl_learner_commit(&learner);
}

void ${name}_forget(${name}_state *state)
{
    tl_learner learner;
    ${name}_learner(state, NULL, &learner);
    tl_learner_restart(&learner);
}
`,
  ].join('\n');
}

function learnerOf(name: string, learning: SystemLearning, { store, recordBytes }: LearningPlan): string {
  const { offsets } = planAdaptation(learning.adaptation);
  const at = (buffer: Parameters<typeof offsets.get>[0]): string => `${offsets.get(buffer) ?? 0}`;
  const rounded = isFloat(learning)
    ? `    state->rounded.weights = state->rounded_weights;
    learner->rounded = &state->rounded;
`
    : '';
  return `void ${name}_learner(${name}_state *state, void *arena, tl_learner *learner)
{
    static const tl_learner head = {
        .params = &params,
        .rates = ${isFloat(learning) ? 'rates' : 'NULL'},
        .initial = initial,
        .exponents = exponents,
        .identity = ${hex32(identityOf(learning.adaptation, learning.sha256))}U,
        .record_bytes = ${recordBytes},
        .logits_at = ${at('logits')},
        .delta_at = ${at('delta')},
        .gradient_at = {${at('gradient0')}, ${at('gradient1')}},
        .flash = ${store === null ? 'NULL' : '&flash'},
    };
    *learner = head;
    learner->record = (tl_learner_record *)(void *)state->record;
    learner->features = state->features;
    learner->scores = state->logits;
    learner->arena = (uint8_t *)arena;
${rounded}}
`;
}

/** Statements that turn phi into the state's features; `learnable` says so. */
function takeFeatures(system: DecisionSystem, { adaptation }: SystemLearning): string {
  const { head, encoder } = system;
  const { size } = head.head;
  if (adaptation.features.kind === 'unit') {
    const offset = encoder.dynamics ? '-phi_scale[2]' : `${head.head.offset}`;
    return `    tl_adapt_unit_features_s16(phi, ${size}, ${offset}, state->features);\n`;
  }
  const { scale, inverse } = adaptation.features;
  const fixed = scale
    ? `    static const int32_t phi_scale[] = {${scale.multiplier}, ${scale.shift}, ${scale.zeroPoint}};\n`
    : '';
  return `${fixed}    static const int32_t inverse[] = {${inverse.multiplier}, ${inverse.shift}};
    tl_adapt_features_s16(phi, ${size}, phi_scale, inverse, state->features);
`;
}

/** Of <name>.c, before its stages. */
export function learnedScores(system: DecisionSystem, learning: SystemLearning): string {
  const name = toIdentifier(system.name);
  const phi = phiParameters(system);
  return `/* Of logits, nats in Q16, to exponents of two in Q10. */
static const tl_exponent_scale learned_exponents = {${LOGIT_EXPONENTS.multiplier}, ${LOGIT_EXPONENTS.shift}};

static void take_features(${name}_state *state, ${phi})
{
${takeFeatures(system, learning)}    state->learnable = 2;
}

/* The head's scores by what was learned. Returns the best class. */
static int32_t learned_scores(${name}_state *state, ${phi}, int32_t *scores)
{
    tl_learner learner;
    take_features(state, ${phiArguments(system)});
    ${name}_learner(state, NULL, &learner);
    return tl_learner_logits(&learner, scores);
}
`;
}

/** Gates by cosine and by a class 'unknown' know the head as trained: its best score is `trained[nearest]` to them. */
export const asksTrainedHead = ({ gate }: DecisionSystem): boolean =>
  gate.kind === 'cosine' || gate.kind === 'unknown-class';

export function trainedScores(system: DecisionSystem): string {
  if (!asksTrainedHead(system)) return '';
  const { head, encoder } = system;
  const { locals, head: now } = headNow(head, encoder.dynamics);
  const call =
    head.kind === 'cosine'
      ? `tl_cosine_scores_s8(&${now}, phi, trained, &evidence->squared_norm)`
      : `tl_linear_scores_s8(&${now}, phi, trained)`;
  return `${locals}    int32_t trained[${head.head.classes}];
    const int32_t nearest = ${call};
`;
}

/** <name>_learn. @param output statements that make phi of the arena */
export function learnFunction(system: DecisionSystem, output: string): string {
  const name = toIdentifier(system.name);
  return `
int32_t ${name}_learn(${name}_state *state, void *arena, int32_t label)
{
    tl_learner learner;
    if (label < 0 || label >= ${name.toUpperCase()}_CLASSES || state->learnable == 0) {
        return -1;
    }
    if (state->learnable == 1) {
        ${name}_stage_front(state, arena);
        if (${name}_stage_encode(arena) != 0) {
            return -1;
        }
${output.replaceAll(/^ {4}/gm, '        ')}        take_features(state, ${phiArguments(system)});
    }
    ${name}_learner(state, arena, &learner);
    (void)tl_learner_logits(&learner, state->logits);
    return tl_learner_learn(&learner, label);
}
`;
}
