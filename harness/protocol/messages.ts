/** Payloads of the device protocol (docs/protocol.md). */
import { UserError } from '../../common/errors.ts';

const EXECUTIONS = ['unknown', 'measured', 'emulated'] as const;
export type Execution = (typeof EXECUTIONS)[number];

export interface Identity {
  /** Measured: the board has seen that it is its chip. Emulated: it has seen an emulator. */
  readonly source: Execution;
  readonly payloadBytesMax: number;
  readonly cpuid: number;
  readonly clockHz: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly arenaBytes: number;
  readonly opCount: number;
  readonly modelSha256: string;
  readonly board: string;
  readonly model: string;
}

export interface InferenceReport {
  /** What the model returned, 0 expected. */
  readonly status: number;
  /** Over all outputs. */
  readonly outputCrc32: number;
  readonly cycles: number;
  /** Of the first inference of the request. */
  readonly coldCycles: number;
}

export interface DeviceMemory {
  readonly stackBytes: number;
  readonly stackUsedBytes: number;
  /** .data and .bss. */
  readonly staticBytes: number;
  readonly arenaBytes: number;
}

const IDENTITY_FIXED_BYTES = 68;
const HASH_OFFSET = 36;

export function words(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value >>> 0, true);
  return new Uint8Array(view.buffer);
}

/** @throws UserError for a device of another version */
export function parseIdentity(payload: Uint8Array, name: string): Identity {
  const view = viewOf(payload, IDENTITY_FIXED_BYTES, name);
  const [board = '', model = ''] = new TextDecoder().decode(payload.subarray(IDENTITY_FIXED_BYTES)).split('\0');
  const word = (index: number): number => view.getUint32(4 * index, true);
  return {
    source: EXECUTIONS[view.getUint8(1)] ?? 'unknown',
    payloadBytesMax: word(1),
    cpuid: word(2),
    clockHz: word(3),
    inputBytes: word(4),
    outputBytes: word(5),
    arenaBytes: word(6),
    opCount: word(7),
    modelSha256: Buffer.from(payload.subarray(HASH_OFFSET, HASH_OFFSET + 32)).toString('hex'),
    board,
    model,
  };
}

export function parseInference(payload: Uint8Array, name: string): InferenceReport {
  const view = viewOf(payload, 24, name);
  const long = (at: number): number => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  return {
    status: view.getInt32(0, true),
    outputCrc32: view.getUint32(4, true),
    cycles: long(8),
    coldCycles: long(16),
  };
}

export function parseMemory(payload: Uint8Array, name: string): DeviceMemory {
  const view = viewOf(payload, 16, name);
  const [stackBytes, stackUsedBytes, staticBytes, arenaBytes] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
  return {
    stackBytes: stackBytes!,
    stackUsedBytes: stackUsedBytes!,
    staticBytes: staticBytes!,
    arenaBytes: arenaBytes!,
  };
}

/** Where and why, as the board's fault handler tells it. */
export function parseFault(payload: Uint8Array): string {
  if (payload.length < 20) return 'the firmware faulted';
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const [pc, lr, , cfsr, hfsr] = [0, 4, 8, 12, 16].map(
    (at) => `0x${view.getUint32(at, true).toString(16).padStart(8, '0')}`,
  );
  return `the firmware faulted at ${pc} (called from ${lr}, CFSR ${cfsr}, HFSR ${hfsr})`;
}

function viewOf(payload: Uint8Array, bytes: number, name: string): DataView {
  if (payload.length < bytes)
    throw new UserError(`${name}: an answer of ${payload.length} bytes, ${bytes} expected; rebuild the firmware`, 5);
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}
