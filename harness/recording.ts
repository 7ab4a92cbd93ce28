/**
 * Recordings of a run's external input: what arrived, and at which cycle. Fed again at the same cycles, the run is the same to the cycle. A file of
 * JSON lines, written as it happens: a header, one line for each arrival, and how the run ended if it did.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../common/errors.ts';
import type { Machine, RunResult } from '../emulator/machine.ts';
import { imageDigest } from '../emulator/state/digest.ts';
import { readInputFile } from './input-file.ts';

const VERSION = 1;

const header = z.strictObject({
  recording: z.literal(VERSION),
  board: z.string(),
  engine: z.string(),
  image: z.string(),
});
const input = z.strictObject({ cycles: z.number().int().min(0), uart: z.string().regex(/^([0-9a-f]{2})+$/) });
const end = z.strictObject({
  end: z.strictObject({
    stop: z.string(),
    cycles: z.number(),
    instructions: z.number(),
    exitCode: z.number().nullable(),
  }),
});

type Header = z.infer<typeof header>;
export type Ending = z.infer<typeof end>['end'];

export interface Recording {
  /** In the order of their arrival; bytes came in front of the instruction at these cycles since reset. */
  readonly inputs: readonly { readonly cycles: number; readonly uart: Uint8Array }[];
  /** Null: the run was broken off. */
  readonly end: Ending | null;
}

function headerOf({ board, cpu, image }: Machine): Header {
  return { recording: VERSION, board: board.name, engine: cpu.name, image: imageDigest(image) };
}

/** Writes a recording as the run goes on. */
export class Recorder {
  private readonly path: string;
  private readonly machine: Machine;

  /** @throws UserError when the file cannot be written */
  constructor(path: string, machine: Machine) {
    this.path = path;
    this.machine = machine;
    try {
      writeFileSync(path, `${JSON.stringify(headerOf(machine))}\n`);
    } catch (error) {
      throw new UserError(`--record ${path}: ${(error as Error).message}`);
    }
  }

  /** Bytes arrive now. */
  uart(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.line({ cycles: this.machine.cpu.counters().cycles, uart: Buffer.from(bytes).toString('hex') });
  }

  end(result: RunResult): void {
    this.line({ end: endingOf(result) });
  }

  private line(entry: object): void {
    appendFileSync(this.path, `${JSON.stringify(entry)}\n`);
  }
}

export function endingOf({ stop, cycles, instructions, exitCode }: RunResult): Ending {
  return { stop, cycles, instructions, exitCode };
}

/** @throws UserError for a damaged file, or one of another image, board or engine */
export function readRecording(path: string, machine: Machine): Recording {
  const lines = new TextDecoder().decode(readInputFile(path)).split('\n');
  const entries = lines.filter((line) => line !== '').map((line, index) => parseLine(line, path, index + 1));
  const first = header.safeParse(entries[0]);
  if (!first.success) throw new UserError(`${path}: not a recording of thumbelina sim --record`);
  const own = headerOf(machine);
  for (const key of ['board', 'engine', 'image'] as const) {
    if (first.data[key] !== own[key])
      throw new UserError(
        `${path}: the ${key} it was recorded with is ${first.data[key]}, not ${own[key]}; a replay needs the same one`,
      );
  }
  const inputs: { cycles: number; uart: Uint8Array }[] = [];
  let ending: Ending | null = null;
  for (const [index, entry] of entries.slice(1).entries()) {
    const arrival = input.safeParse(entry);
    const last = end.safeParse(entry);
    if (arrival.success && arrival.data.cycles >= (inputs.at(-1)?.cycles ?? 0) && ending === null)
      inputs.push({ cycles: arrival.data.cycles, uart: new Uint8Array(Buffer.from(arrival.data.uart, 'hex')) });
    else if (last.success && ending === null) ending = last.data.end;
    else throw new UserError(`${path}:${index + 2}: neither an input nor the end of the run; the file is damaged`);
  }
  return { inputs, end: ending };
}

function parseLine(line: string, path: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new UserError(`${path}:${number}: not JSON; the file is damaged`);
  }
}

/**
 * Runs from reset with the recorded input. A recording that was broken off is followed to its last input, then on to the end or `maxCycles`.
 * @throws UserError when the run does not end as the recorded one did
 */
export function replay(
  machine: Machine,
  { inputs, end: expected }: Recording,
  maxCycles: number,
  path: string,
): RunResult {
  let next = 0;
  const feed = (): void => {
    for (; inputs[next] !== undefined && inputs[next]!.cycles <= machine.cpu.counters().cycles; next++)
      machine.serial.feed(inputs[next]!.uart);
  };
  const start = machine.start();
  if (typeof start !== 'number') return start;
  let pc = start;
  for (;;) {
    feed();
    const cyclesMax = inputs[next]?.cycles ?? lastCycle(expected, maxCycles);
    const result = machine.resume(pc, { cyclesMax });
    pc = result.pc;
    if (result.stop === 'paused' || (result.stop === 'limit' && next < inputs.length)) continue;
    const isSame =
      next === inputs.length && (expected === null || JSON.stringify(endingOf(result)) === JSON.stringify(expected));
    if (isSame) return result;
    throw new UserError(
      `${path}: the replay ended with ${JSON.stringify(endingOf(result))}, the recorded run with ${JSON.stringify(expected)}`,
    );
  }
}

/** By when a run that is the same has ended; a fault counts from where it was raised, and its handler has run since. */
function lastCycle(expected: Ending | null, maxCycles: number): number {
  if (expected === null || expected.stop === 'fault') return maxCycles;
  return expected.stop === 'limit' ? expected.cycles : expected.cycles + 1;
}
