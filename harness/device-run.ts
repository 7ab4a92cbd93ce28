/** A model on a device behind a serial port: is it the right one, one input through it, and the report of `run`. */
import { UserError } from '../common/errors.ts';
import type { Board } from '../boards/schema.ts';
import { defaultTiming } from '../emulator/board-timing.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { tensorBytes, tensorOf } from '../firmware-gen/ir/graph.ts';
import type { CompiledModel } from './compile.ts';
import type { SourceModel } from './model.ts';
import { DeviceError, type DeviceClient } from './protocol/device-client.ts';
import type { Identity, InferenceReport } from './protocol/messages.ts';
import { buildReport, type RunReport } from './report.ts';

const EXIT_NO_BOOT = 5;
const EXIT_TIMEOUT = 6;
const EXIT_FAULT = 7;
/** A Cortex-M0 at a few MHz takes seconds for a large model. */
export const INFERENCE_SECONDS_MAX = 60;

/** @throws UserError (exit 2) when another board or another model answers: nothing is run on it */
export function requireIdentity(
  identity: Identity,
  board: Board,
  model: Pick<SourceModel, 'sha256' | 'path'>,
  where: string,
): void {
  if (identity.board !== board.name)
    throw new UserError(
      `${where}: firmware for board ${identity.board} answers, ${board.name} was asked for; check port and --board`,
    );
  if (identity.modelSha256 !== model.sha256)
    throw new UserError(
      `${where}: firmware of another model (${identity.model}) answers; flash that of ${model.path} first`,
    );
}

export interface DeviceInference {
  readonly outputs: readonly Uint8Array[];
  readonly report: InferenceReport;
}

/** One cold and one warm inference. @param inputs little-endian bytes of every input tensor. @throws DeviceError */
export async function inferOnDevice(
  client: DeviceClient,
  graph: Graph,
  inputs: readonly Uint8Array[],
): Promise<DeviceInference> {
  const input = Uint8Array.from(inputs.flatMap((bytes) => [...bytes]));
  await client.writeInput(input);
  const report = await client.infer(2, input, 2 * INFERENCE_SECONDS_MAX);
  const bytes = await client.readOutput(report);
  let at = 0;
  const outputs = graph.outputs.map((id) => {
    const size = tensorBytes(tensorOf(graph, id));
    return bytes.slice(at, (at += size));
  });
  return { outputs, report };
}

/** The exit code that the contract has for what went wrong with a device. */
export function deviceFailure(error: unknown): unknown {
  if (!(error instanceof DeviceError)) return error;
  const codes = {
    silent: EXIT_NO_BOOT,
    lost: EXIT_NO_BOOT,
    refused: EXIT_FAULT,
    restarted: EXIT_FAULT,
    faulted: EXIT_FAULT,
  } as const;
  const hint = error.kind === 'silent' ? '; is firmware built with --harness device running there?' : '';
  return new UserError(`${error.message}${hint}`, error.message.includes('timeout') ? EXIT_TIMEOUT : codes[error.kind]);
}

/** @param client open, its device with the image of `compiled`. @throws UserError: 2 wrong device, 5 no answer, 7 it faulted */
export async function runOnDevice(
  client: DeviceClient,
  where: string,
  model: SourceModel,
  compiled: CompiledModel,
  inputs: readonly Uint8Array[],
  board: Board,
): Promise<RunReport> {
  try {
    const identity = await client.identify();
    requireIdentity(identity, board, model, where);
    const { outputs, report } = await inferOnDevice(client, model.graph, inputs);
    const cycles = await client.opCycles();
    const memory = await client.memory();
    const { image } = compiled;
    return buildReport({
      modelName: model.name,
      graph: model.graph,
      board: { ...board, clockHz: identity.clockHz },
      engine: 'serial',
      source: identity.source,
      timingMode: defaultTiming(board),
      inputs,
      outputs,
      cycles: report.cycles,
      coldCycles: report.coldCycles,
      instructions: null,
      opCosts: new Map(cycles.map((value, index) => [index, { cycles: value, instructions: null }])),
      opOutputCrc32: new Map(),
      flashBytes: image.flashBytes,
      dataBytes: image.dataBytes,
      bssBytes: image.bssBytes,
      arenaBytes: memory.arenaBytes,
      stackBytes: memory.stackUsedBytes,
      notes: [
        ...compiled.notes,
        "cycles are the device's own count (docs/protocol.md); it counts no instructions",
        ...(cycles.length === 0 ? ['no cycles per op: the image has no hooks (build --harness device --per-op)'] : []),
      ],
    });
  } catch (error) {
    throw deviceFailure(error);
  }
}
