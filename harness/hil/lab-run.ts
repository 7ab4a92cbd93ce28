/**
 * The jobs of a lab on its boards: boards work at the same time, each through its own queue; a failed attempt is tried again with its reason
 * kept. Every output is compared with the reference kernels'.
 */
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import type { CompiledModel } from '../compile.ts';
import { crc32Hex } from '../crc32.ts';
import type { FlashRequest } from '../flash/tools.ts';
import { inferOnDevice, requireIdentity } from '../device-run.ts';
import { lcgInputs } from '../lcg.ts';
import { loadModel, type SourceModel } from '../model.ts';
import { DeviceClient, DeviceError } from '../protocol/device-client.ts';
import type { Link } from '../protocol/link.ts';
import { openPatiently, reconnectingLink } from '../protocol/reconnecting-link.ts';
import type { LabBoard, LabFile, LabJob } from './lab-file.ts';

export type JobOutcome =
  'ok' | 'flash-failed' | 'no-boot' | 'timeout' | 'faulted' | 'wrong-answer' | 'regression' | 'error';

/** Contract: 1 wrong answer or regression, 4 flash failed, 5 no boot, 6 timeout, 7 the firmware faulted. */
export const OUTCOME_EXIT: Readonly<Record<JobOutcome, number>> = {
  ok: 0,
  'wrong-answer': 1,
  regression: 1,
  error: 2,
  'flash-failed': 4,
  'no-boot': 5,
  timeout: 6,
  faulted: 7,
};

export interface JobResult {
  readonly board: string;
  readonly model: string;
  readonly outcome: JobOutcome;
  readonly source: 'emulated' | 'measured' | 'unknown' | null;
  readonly cycles: number | null;
  readonly outputCrc32: string | null;
  /** One reason per attempt that failed. */
  readonly reasons: readonly string[];
  readonly retransmissions: number;
}

/** What a lab needs from the outside: real ports and programs, or a test's. */
export interface LabServices {
  /** Opened before the board is reset or flashed, so that no first line is lost. @throws UserError when the port is not there */
  open(board: LabBoard): Promise<Link>;
  /** Runs a program to its end. @throws UserError with what it said when it fails or takes too long */
  run(command: readonly string[], secondsMax: number): Promise<void>;
  /** Writes an image with a tool of `thumbelina flash`. @throws UserError when it cannot, or another chip answers */
  flash(tool: string, request: FlashRequest): Promise<unknown>;
  /** The image for a board type; asked once for each. */
  compile(model: SourceModel, boardType: string): Promise<CompiledModel>;
  onResult?: (result: JobResult) => void;
}

const POWER_SECONDS_MAX = 30;
/** Slowest flashers: a UART boot loader writes some 3 KB a second. */
const FLASH_SECONDS_BASE = 30;
const FLASH_BYTES_PER_SECOND = 2000;
/** A board that was switched off and on, or numbered anew, is back after some seconds. */
const RECONNECT_SECONDS_MAX = 15;
const PAUSE_SECONDS = 0.5;

class AttemptError extends Error {
  readonly outcome: JobOutcome;

  constructor(outcome: JobOutcome, message: string) {
    super(message);
    this.outcome = outcome;
  }
}

/** Results by board, then in the order of the jobs. */
export async function runLab(lab: LabFile, services: LabServices): Promise<JobResult[]> {
  const models = new Map(lab.jobs.map(({ model }) => [model, loadModel(model)]));
  const images = new Map<string, Promise<CompiledModel>>();
  const image = (model: SourceModel, boardType: string): Promise<CompiledModel> => {
    const key = `${model.path} ${boardType}`;
    const known = images.get(key) ?? services.compile(model, boardType);
    images.set(key, known);
    return known;
  };
  const perBoard = await Promise.all(
    lab.boards.map(async (board) => {
      const results: JobResult[] = [];
      for (const job of lab.jobs) {
        if (job.boards !== undefined && !job.boards.includes(board.board)) continue;
        const result = await runJob(board, job, models.get(job.model)!, lab.attempts, services, image);
        services.onResult?.(result);
        results.push(result);
      }
      return results;
    }),
  );
  return perBoard.flat();
}

async function runJob(
  board: LabBoard,
  job: LabJob,
  model: SourceModel,
  attempts: number,
  services: LabServices,
  image: (model: SourceModel, boardType: string) => Promise<CompiledModel>,
): Promise<JobResult> {
  const reasons: string[] = [];
  const named = { board: board.name, model: model.name };
  const nothing = { source: null, cycles: null, outputCrc32: null, retransmissions: 0 };
  let outcome: JobOutcome = 'error';
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      if (attempt > 0) await pause(PAUSE_SECONDS);
      if (attempt > 0 && board.powerCycle !== undefined) await services.run(board.powerCycle, POWER_SECONDS_MAX);
      const done = await attemptJob(board, job, model, attempt > 0, services, image);
      return { ...named, ...done, reasons };
    } catch (error) {
      const failure = classify(error);
      outcome = failure.outcome;
      reasons.push(failure.message);
      // The same bits come again: trying once more would only hide them.
      if (outcome === 'wrong-answer' || outcome === 'regression' || outcome === 'error') break;
    }
  }
  return { ...named, outcome, ...nothing, reasons };
}

type Done = Pick<JobResult, 'outcome' | 'source' | 'cycles' | 'outputCrc32' | 'retransmissions'>;

async function attemptJob(
  board: LabBoard,
  job: LabJob,
  model: SourceModel,
  mayComeBack: boolean,
  services: LabServices,
  image: (model: SourceModel, boardType: string) => Promise<CompiledModel>,
): Promise<Done> {
  const description = loadBoard(board.board);
  const open = (): Promise<Link> => services.open(board);
  const first = await openPatiently(open, mayComeBack ? RECONNECT_SECONDS_MAX : 0).catch((error: unknown) => {
    throw new AttemptError('no-boot', (error as Error).message);
  });
  const link = reconnectingLink(first, open, RECONNECT_SECONDS_MAX);
  const client = new DeviceClient(link, { baud: board.baud });
  try {
    if (board.flash !== undefined) await flash(board.flash, description, await image(model, board.board), services);
    const identity = await client.identify().catch((error: unknown) => {
      throw error instanceof DeviceError ? new AttemptError('no-boot', error.message) : error;
    });
    requireIdentity(identity, description, model, link.name);
    const inputs = lcgInputs(
      model.graph.inputs.map((id) => tensorOf(model.graph, id)),
      job.lcg,
    );
    const { outputs, report } = await inferOnDevice(client, model.graph, inputs);
    // Whoever answered after the line came back must be the board that was asked.
    if (link.reconnections() > 0) requireIdentity(await client.identify(), description, model, link.name);
    const expected = createReference(model.graph).run(inputs).outputs;
    const outputCrc32 = crc32Hex(...outputs);
    if (outputCrc32 !== crc32Hex(...expected))
      throw new AttemptError(
        'wrong-answer',
        `output CRC-32 ${outputCrc32}, the reference has ${crc32Hex(...expected)}`,
      );
    if (job.cyclesMax !== undefined && report.cycles > job.cyclesMax)
      throw new AttemptError('regression', `${report.cycles} cycles, at most ${job.cyclesMax} are allowed`);
    const { source } = identity;
    return { outcome: 'ok', source, cycles: report.cycles, outputCrc32, retransmissions: client.retransmissions };
  } finally {
    await link.close();
  }
}

async function flash(
  how: NonNullable<LabBoard['flash']>,
  board: Board,
  { image: { elfPath, binPath, flashBytes } }: CompiledModel,
  services: LabServices,
): Promise<void> {
  try {
    if ('tool' in how) {
      const { tool, probe = null, port = null } = how;
      const { start: address } = board.memory.find(({ kind }) => kind === 'flash')!;
      const request = { board, elf: elfPath, bin: { path: binPath, address }, probe, port, uartMode: '8e1' };
      await services.flash(tool, request);
      return;
    }
    const paths = { '{elf}': elfPath, '{bin}': binPath } as const;
    const args = how.map((part) => part.replaceAll(/\{elf\}|\{bin\}/g, (name) => paths[name as keyof typeof paths]));
    await services.run(args, FLASH_SECONDS_BASE + flashBytes / FLASH_BYTES_PER_SECOND);
  } catch (error) {
    throw new AttemptError('flash-failed', (error as Error).message);
  }
}

function classify(error: unknown): { outcome: JobOutcome; message: string } {
  if (error instanceof AttemptError) return { outcome: error.outcome, message: error.message };
  if (error instanceof DeviceError) {
    return { outcome: error.kind === 'faulted' ? 'faulted' : 'timeout', message: error.message };
  }
  if (error instanceof UserError) return { outcome: 'error', message: error.message };
  throw error;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
