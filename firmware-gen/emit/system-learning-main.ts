/**
 * What a head that learns adds to main.c: functions for whoever calls from outside, and the device protocol (docs/protocol.md) where the board's UART
 * receives. Its input are the next frames of the stream, as many as go into a window and from one decision to the next without a rest.
 */
import type { Board } from '../../boards/schema.ts';
import { pushedValues, type DecisionSystem, type StreamParams } from '../ir/system.ts';
import { toIdentifier } from './identifier.ts';
import { cString, hexRows } from './harness-source.ts';
import type { LearningMain } from './system-frame.ts';
import type { LearningPlan, SystemLearning } from './system-learning.ts';

/** Pushes that one request of the protocol carries: decisions come at the end of one. */
export function chunkPushes({ frames, hop }: StreamParams): number {
  let [a, b] = [frames, hop];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export function learningMain(
  system: DecisionSystem,
  { sha256 }: SystemLearning,
  { harness }: LearningPlan,
  board: Board,
): LearningMain {
  const name = toIdentifier(system.name);
  const functions = `
/* One step with the newest window. Returns the probability that the label had before, Q15; -1 without a window or class. */
TL_VISIBLE int32_t tl_learn(int32_t label)
{
    return ${name}_learn(&tl_state, tl_arena, label);
}

TL_VISIBLE int32_t tl_commit(void)
{
    return ${name}_commit(&tl_state);
}

/* The head as trained. */
TL_VISIBLE void tl_forget(void)
{
    ${name}_forget(&tl_state);
}

/* What was learned, a tl_learner_record. */
TL_VISIBLE const void *tl_record(void)
{
    return tl_state.record;
}
${harness === null ? '' : protocolFunctions(system, sha256, board)}`;
  const begin = `    (void)${name}_recall(&tl_state);\n`;
  if (harness === null) {
    const named = `    /* Named, so that the linker keeps them. */
    __asm volatile("" ::"r"(tl_learn), "r"(tl_commit), "r"(tl_forget), "r"(tl_record));\n`;
    return { includes: '', functions, begin, serve: named };
  }
  return {
    includes: '#include "tl_harness.h"\n',
    functions,
    begin: `    tl_uart_init();
    tl_time_init();
    ${name}_learner(&tl_state, tl_arena, &tl_learning);
${begin}`,
    serve: `    /* Named, so that the linker keeps them. */
    __asm volatile("" ::"r"(tl_commit), "r"(tl_forget), "r"(tl_record));
    tl_harness_paint_stack();
    tl_device_init(&harness);
    tl_harness_serve(tl_device_receive);\n`,
  };
}

function protocolFunctions(system: DecisionSystem, sha256: string, board: Board): string {
  const name = toIdentifier(system.name);
  const pushes = chunkPushes(system.stream);
  const bytes = 2 * pushes * pushedValues(system);
  return `
static tl_learner tl_learning;
static int32_t tl_due;

/* The frames that the host has sent. */
static int32_t feed_chunk(void)
{
    tl_due = tl_feed(${pushes});
    return tl_due < 0 ? tl_due : 0;
}

/* Whether a decision was due, and the decision. */
static tl_harness_tensor outputs[2] = {
    {.data = (uint8_t *)&tl_due, .bytes = sizeof(tl_due), .element = TL_ELEMENT_OTHER, .zero_point = 0, .scale = 1.0f},
    {.data = (uint8_t *)&tl_decision, .bytes = sizeof(tl_decision), .element = TL_ELEMENT_OTHER, .zero_point = 0, .scale = 1.0f},
};

static const uint8_t system_sha256[32] = {
${hexRows(sha256)}
};

static const tl_harness harness = {
    .board = ${cString(board.name)},
    .model = ${cString(name)},
    .mlperf_id = "adapt",
    .model_sha256 = system_sha256,
    .invoke = feed_chunk,
    .outputs = outputs,
    .output_count = 2,
    .buffer = (uint8_t *)tl_frames,
    .buffer_bytes = ${bytes},
    .form = TL_INPUT_RAW,
    .arena_bytes = ${name.toUpperCase()}_ARENA_BYTES,
    .extension = tl_device_adapt,
    .learner = &tl_learning,
    .learn = tl_learn,
    .restart = tl_restart,
};
`;
}
