/** LAB.json: which boards are on the desk, how each is reached, and what is to run on them. Unknown fields are refused. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { FLASH_TOOL_NAMES } from '../flash/tools.ts';
import { readInputFile } from '../input-file.ts';

/** A program and its arguments; never a shell's line. */
const command = z.array(z.string().min(1)).min(1);

/** A tool of `thumbelina flash`: which chip answers is checked before anything is written. */
const flashTool = z.strictObject({
  tool: z.enum(FLASH_TOOL_NAMES),
  /** Serial number of the probe; absent: the only one there is. */
  probe: z.string().min(1).optional(),
  /** What the tool takes as --port, where it takes one; not the board's own serial port, which is open. */
  port: z.string().min(1).optional(),
});

const labBoard = z
  .strictObject({
    name: z.string().min(1),
    /** Board type: a built-in name, or a path beside the lab file. */
    board: z.string().min(1),
    /** Path of its serial port, or ... */
    port: z.string().min(1).optional(),
    /** ... the USB serial number of the adapter, which stays when ports are numbered anew. */
    usbSerial: z.string().min(1).optional(),
    baud: z.int().min(300).max(4_000_000).default(115200),
    /** Run before every attempt but the first: switches the board off and on. */
    powerCycle: command.optional(),
    /** A tool, or a program and arguments, {elf} and {bin} standing for the image's paths. Absent: the firmware is there already. */
    flash: z.union([flashTool, command]).optional(),
  })
  .refine(({ port, usbSerial }) => (port === undefined) !== (usbSerial === undefined), {
    message: 'needs either "port" or "usbSerial"',
  });

const labJob = z.strictObject({
  /** .tflite, beside the lab file. */
  model: z.string().min(1),
  /** Board types it runs on; absent: on all. */
  boards: z.array(z.string()).min(1).optional(),
  /** Seed of the input (CONTRACT, --lcg). */
  lcg: z.int().min(0).default(1),
  /** A regression when it takes more. */
  cyclesMax: z.int().positive().optional(),
});

const labFile = z.strictObject({
  schemaVersion: z.literal(1),
  boards: z.array(labBoard).min(1),
  jobs: z.array(labJob).min(1),
  /** Tries of a job on a board before it counts as failed. */
  attempts: z.int().min(1).max(20).default(3),
});

export type LabFile = z.infer<typeof labFile>;
export type LabBoard = z.infer<typeof labBoard>;
export type LabJob = z.infer<typeof labJob>;

/** Paths of models come back absolute. @throws UserError naming file and field */
export function readLabFile(path: string): LabFile {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(readInputFile(path)));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: ${(error as Error).message}; expected a lab file (docs/hil.md)`);
  }
  const parsed = labFile.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; see docs/hil.md`);
  }
  const lab = parsed.data;
  rejectTwins(path, lab.boards);
  const folder = dirname(resolve(path));
  const beside = (name: string): string => (name.endsWith('.json') ? resolve(folder, name) : name);
  return {
    ...lab,
    boards: lab.boards.map((board) => ({ ...board, board: beside(board.board) })),
    jobs: lab.jobs.map((job) => ({ ...job, model: resolve(folder, job.model) })),
  };
}

/** Two entries for one board would talk over each other. */
function rejectTwins(path: string, boards: readonly LabBoard[]): void {
  for (const key of ['name', 'port', 'usbSerial'] as const) {
    const seen = new Set<string>();
    for (const board of boards) {
      const value = board[key];
      if (value === undefined) continue;
      if (seen.has(value)) throw new UserError(`${path}: two boards have the ${key} ${value}; give each its own`);
      seen.add(value);
    }
  }
}
