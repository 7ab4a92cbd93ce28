/** The header of a decision system and the main.c that a board runs: it waits until frames are put into memory and tl_feed is called. */
import { pushedValues, type DecisionSystem } from '../ir/system.ts';
import { toCommentText, toIdentifier } from './identifier.ts';

/** What a head that learns adds to the header. */
export interface LearningHeader {
  /** Fields of the state. */
  readonly state: string;
  readonly arenaBytes: number;
  readonly declarations: string;
}

export function systemHeader(
  system: DecisionSystem,
  encoder: string,
  opening: string,
  learning: LearningHeader | undefined,
): string {
  const { name: title, classes, stream, frontEnd, latentFilter } = system;
  const name = toIdentifier(title);
  const upper = name.toUpperCase();
  const size = latentFilter?.params.size ?? 0;
  const latent = latentFilter
    ? `    int32_t latent_started;\n    int32_t latent_mean[${size}];\n    uint16_t latent_variance[${size}];\n`
    : '';
  const isSound = frontEnd.kind === 'mfcc';
  const samples = isSound ? `    int16_t samples[${frontEnd.cepstra.frameSamples}]; /* the newest */\n` : '';
  return `${opening}
#ifndef ${upper}_H
#define ${upper}_H

#include "${encoder}.h"
${learning ? '#include "tl_learner.h"\n' : ''}#include "tl_stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Classes: ${classes.map((label, index) => `${index} ${toCommentText(label)}`).join(', ')} */
#define ${upper}_CLASSES ${classes.length}
/* int16 values of one ${isSound ? 'push' : 'frame'}, and how many of them from one decision to the next. */
#define ${upper}_CHANNELS ${pushedValues(system)}
#define ${upper}_HOP ${stream.hop}
/* Bytes of the arena that ${learning ? 'decide and learn need' : 'decide needs'}, at a multiple of ${encoder.toUpperCase()}_ARENA_ALIGNMENT; free between two decisions. */
#define ${upper}_ARENA_BYTES ${learning ? learning.arenaBytes : `${encoder.toUpperCase()}_ARENA_BYTES`}

/* One stream${learning ? ' and what was learned from it' : ''}; the caller's. */
typedef struct {
    tl_stream_state stream;
    int32_t belief[${classes.length}];
${latent}${samples}${learning?.state ?? ''}    int16_t ring[${stream.frames * stream.channels}];
} ${name}_state;

typedef struct {
    int32_t accepted; /* 1: looks like what was learned; 0: unknown, and label says only what it is nearest to */
    int32_t label;    /* class of this window alone */
    int32_t smoothed; /* most probable class, all windows so far considered */
    int32_t belief;   /* its probability, Q15 */
} ${name}_decision;

void ${name}_start(${name}_state *state);

/* Takes ${isSound ? `the next ${upper}_CHANNELS samples of sound` : 'one frame of raw sensor counts'}. Returns 1 when a decision is due. */
int32_t ${name}_push(${name}_state *state, const int16_t *frame);

/* Decides about the newest window. Returns 0, or -1 when the arena is not aligned. */
int32_t ${name}_decide(${name}_state *state, void *arena, ${name}_decision *decision);
${learning?.declarations ?? ''}
#ifdef __cplusplus
}
#endif
#endif
`;
}

/** What a head that learns adds to main.c. */
export interface LearningMain {
  readonly includes: string;
  readonly functions: string;
  /** Statements of main: before the stream starts, and once everything is ready. */
  readonly begin: string;
  readonly serve: string;
}

export function systemMain(
  name: string,
  { stream }: DecisionSystem,
  opening: string,
  learning: LearningMain | undefined,
): string {
  const upper = name.toUpperCase();
  return `${opening}
#include "${name}.h"
#include "tl_runtime.h"
${learning?.includes ?? ''}
static uint8_t tl_arena[${upper}_ARENA_BYTES] __attribute__((aligned(8)));
static ${name}_state tl_state;
/* Whoever feeds the system from outside (a debugger, an emulator, a driver's interrupt) writes frames here and reads the decision there. */
static int16_t tl_frames[${stream.hop} * ${upper}_CHANNELS] __attribute__((used));
static ${name}_decision tl_decision __attribute__((used));

TL_VISIBLE void tl_ready(void)
{
}

/* Starts a new stream. */
TL_VISIBLE void tl_restart(void)
{
    ${name}_start(&tl_state);
}

/* Takes \`count\` frames from tl_frames. Returns how many decisions were made, the last of which is in tl_decision; -1 for an error. */
TL_VISIBLE int32_t tl_feed(int32_t count)
{
    int32_t decisions = 0;
    for (int32_t i = 0; i < count; ++i) {
        if (${name}_push(&tl_state, tl_frames + i * ${upper}_CHANNELS) != 0) {
            if (${name}_decide(&tl_state, tl_arena, &tl_decision) != 0) {
                return -1;
            }
            ++decisions;
        }
    }
    return decisions;
}
${learning?.functions ?? ''}
int main(void)
{
${learning?.begin ?? ''}    tl_restart();
    tl_feed(0);
    tl_ready();
${learning?.serve ?? ''}    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}
