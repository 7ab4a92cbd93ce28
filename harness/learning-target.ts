/** A decision system whose head learns, fed window by window: on an emulated board by calls, or on a device by the framed protocol. */
import { UserError } from '../common/errors.ts';
import { chunkPushes } from '../firmware-gen/emit/system-learning-main.ts';
import { pushedValues, type DecisionSystem } from '../firmware-gen/ir/system.ts';
import type { Decision } from '../firmware-gen/reference/system.ts';
import { decisionOf } from './decision-system.ts';
import { INFERENCE_SECONDS_MAX, deviceFailure } from './device-run.ts';
import type { EmulatedLearningSystem } from './learning-system.ts';
import { request, type DeviceClient } from './protocol/device-client.ts';
import {
  adaptOnDevice,
  commitOnDevice,
  recordOnDevice,
  restartOnDevice,
  rollbackOnDevice,
} from './protocol/learning.ts';
import { words } from './protocol/messages.ts';

export interface Step {
  /** Before it. */
  readonly decision: Decision;
  /** Of the label before it, Q15. */
  readonly probability: number;
  /** Null on a core without a timing model. */
  readonly cycles: number | null;
}

/** Windows are frames.length * pushedValues(system) raw values, each a stream of its own. */
export interface LearningTarget {
  decide(window: Int16Array): Promise<Decision>;
  learn(window: Int16Array, label: number): Promise<Step>;
  /** The head as trained. */
  forget(): Promise<void>;
  commit(): Promise<void>;
  /** The board starts anew: with what was committed. */
  reset(): Promise<void>;
  /** What was learned, as tl_learner.h has it. */
  record(): Promise<Uint8Array>;
}

function* chunksOf(system: DecisionSystem, window: Int16Array): Generator<Int16Array> {
  const values = chunkPushes(system.stream) * pushedValues(system);
  for (let at = 0; at < window.length; at += values) yield window.subarray(at, at + values);
}

export function emulatedTarget(board: EmulatedLearningSystem, system: DecisionSystem): LearningTarget {
  const decide = (window: Int16Array): Decision => {
    board.restart();
    const [last] = [...chunksOf(system, window)].map((chunk) => board.feed(chunk)).slice(-1);
    if (!last) throw new UserError('firmware: made no decision about a window', 7);
    return last;
  };
  return {
    decide: (window) => Promise.resolve(decide(window)),
    learn: (window, label) => {
      const decision = decide(window);
      const { probability, cycles } = board.learn(label);
      return Promise.resolve({ decision, probability, cycles: board.isTimed ? cycles : null });
    },
    forget: () => Promise.resolve(board.forget()),
    commit: () => Promise.resolve(board.commit()),
    reset: () => Promise.resolve(board.boot()),
    record: () => Promise.resolve(board.record()),
  };
}

/** tl_due, then the decision. */
const OUTPUT_BYTES = 20;

/** @param client identified @param where of the device, for messages @param identify again, after a reset */
export function deviceTarget(
  client: DeviceClient,
  where: string,
  system: DecisionSystem,
  identify: () => Promise<void>,
): LearningTarget {
  const asBytes = (chunk: Int16Array): Uint8Array => new Uint8Array(chunk.slice().buffer);
  /** All but the last chunk of a new stream, which it returns. */
  const begin = async (window: Int16Array): Promise<Uint8Array> => {
    const chunks = [...chunksOf(system, window)].map(asBytes);
    await restartOnDevice(client);
    for (const chunk of chunks.slice(0, -1)) {
      await client.writeInput(chunk);
      await client.infer(1, chunk, INFERENCE_SECONDS_MAX);
    }
    const last = chunks.at(-1)!;
    await client.writeInput(last);
    return last;
  };
  const decided = (output: Uint8Array): Decision => {
    const [due, ...decision] = new Int32Array(output.slice().buffer);
    if (due !== 1) throw new UserError(`${where}: ${due} decisions about a window, 1 expected`, 7);
    return decisionOf(Int32Array.from(decision));
  };
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw deviceFailure(error);
    }
  };
  return {
    decide: (window) =>
      failing(async () => {
        const last = await begin(window);
        return decided(await client.readOutput(await client.infer(1, last, INFERENCE_SECONDS_MAX)));
      }),
    learn: (window, label) =>
      failing(async () => {
        const last = await begin(window);
        const { status, probability, stepCycles } = await adaptOnDevice(client, label, last, INFERENCE_SECONDS_MAX);
        if (status !== 0) throw new UserError(`${where}: a step returned ${status}, 0 expected`, 7);
        const view = await client.request(request.read, words(0, OUTPUT_BYTES), { answerBytes: OUTPUT_BYTES });
        const decision = decided(new Uint8Array(view.buffer, view.byteOffset, OUTPUT_BYTES));
        return { decision, probability: probability * 32768, cycles: stepCycles };
      }),
    forget: () => failing(async () => void (await rollbackOnDevice(client, 'original'))),
    commit: () => failing(async () => void (await commitOnDevice(client))),
    reset: () =>
      failing(async () => {
        await client.reset();
        await identify();
      }),
    record: () => failing(() => recordOnDevice(client)),
  };
}
