/** Requests of a device whose model learns (docs/protocol.md), on top of the requests that every device answers. */
import { crc32 } from 'node:zlib';
import type { DeviceClient } from './device-client.ts';
import { words } from './messages.ts';

const request = { adapt: 8, commit: 9, rollback: 10, learned: 11, weights: 12, restart: 13 } as const;

export interface StepReport {
  /** What the encoder returned, 0 expected; -2: of a decision system, no window was due. */
  readonly status: number;
  /** Class before the step. */
  readonly predicted: number;
  /** Of the label before the step, 0..1. */
  readonly probability: number;
  /** Since the model as it came. */
  readonly steps: number;
  readonly inferCycles: number;
  readonly stepCycles: number;
}

export interface LearnedReport {
  readonly steps: number;
  /** Steps of what is in flash; null: nothing. */
  readonly committedSteps: number | null;
  /** Since the start or a rollback: samples, and their mean loss in nats; null without any. */
  readonly samples: number;
  readonly meanLoss: number | null;
  readonly recordBytes: number;
  /** Of each of two; 0: the board has no driver for its flash. */
  readonly slotBytes: number;
}

/** One labelled sample: inference, then a step. @param input as written: the device compares. @throws DeviceError, "refused" for a label out of range */
export async function adaptOnDevice(
  client: DeviceClient,
  label: number,
  input: Uint8Array,
  secondsMax: number,
): Promise<StepReport> {
  const view = await client.request(request.adapt, words(label, crc32(input)), {
    answerBytes: 28,
    workSeconds: secondsMax,
  });
  return {
    status: view.getInt32(0, true),
    predicted: view.getUint32(4, true),
    probability: view.getInt32(8, true) / 32768,
    steps: view.getUint32(12, true),
    inferCycles: view.getUint32(16, true) + view.getUint32(20, true) * 2 ** 32,
    stepCycles: view.getUint32(24, true),
  };
}

/** Keeps what was learned in flash; its steps. @throws DeviceError "refused" without a driver, and when writing fails */
export async function commitOnDevice(client: DeviceClient): Promise<number> {
  const view = await client.request(request.commit, new Uint8Array(), { answerBytes: 4, workSeconds: 10 });
  return view.getUint32(0, true);
}

/** @param to what was committed last (or, without it, the model as it came), or the model as it came. Its steps */
export async function rollbackOnDevice(
  client: DeviceClient,
  to: 'committed' | 'original',
): Promise<{ source: 'committed' | 'original'; steps: number }> {
  const view = await client.request(request.rollback, words(to === 'committed' ? 0 : 1), { answerBytes: 8 });
  return { source: view.getUint32(0, true) === 1 ? 'committed' : 'original', steps: view.getUint32(4, true) };
}

/** Of a decision system: a new stream begins. */
export async function restartOnDevice(client: DeviceClient): Promise<void> {
  await client.request(request.restart, new Uint8Array(), { answerBytes: 0 });
}

/** Bits of loss are Q10. */
const NATS = Math.LN2 / 1024;

export async function learnedOnDevice(client: DeviceClient): Promise<LearnedReport> {
  const view = await client.request(request.learned, new Uint8Array(), { answerBytes: 28 });
  const word = (index: number): number => view.getUint32(4 * index, true);
  return {
    steps: word(0),
    committedSteps: word(1) === 1 ? word(2) : null,
    samples: word(3),
    meanLoss: word(3) === 0 ? null : word(4) * NATS,
    recordBytes: word(5),
    slotBytes: word(6),
  };
}

const PIECE_BYTES = 256;

/** What was learned, as firmware keeps it: identity, steps, exponents, weights. */
export async function recordOnDevice(client: DeviceClient): Promise<Uint8Array> {
  const { recordBytes } = await learnedOnDevice(client);
  const record = new Uint8Array(recordBytes);
  for (let at = 0; at < recordBytes; at += PIECE_BYTES) {
    const bytes = Math.min(PIECE_BYTES, recordBytes - at);
    const view = await client.request(request.weights, words(at, bytes), { answerBytes: bytes });
    record.set(new Uint8Array(view.buffer, view.byteOffset, bytes), at);
  }
  return record;
}
