/**
 * thumbelina.lock.json: what every model costs on every board, so that a change that makes it dearer, larger or wrong is seen. Written
 * only by `check --update`; made to be read in a diff: one op, one function a line.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';

const count = z.int().min(0);
const crc32 = z.string().regex(/^[0-9a-f]{8}$/);

const percent = z.number().min(0);

/** By how much a figure may be worse than the locked one: percent of it, accuracy in points. */
const tolerances = z.strictObject({
  cyclesPct: percent,
  instructionsPct: percent,
  flashPct: percent,
  ramPct: percent,
  stackPct: percent,
  accuracyPoints: z.number().min(0),
});

const dataSet = z.strictObject({
  /** Folder or file, relative to the lock file. */
  path: z.string().min(1),
  /** How many are drawn; null: all. */
  samples: z.int().positive().nullable(),
  seed: count,
  split: z.string().nullable(),
});

const figures = z.strictObject({
  /** Null on a core without a timing model. */
  cycles: count.nullable(),
  instructions: count,
  flashBytes: count,
  ramBytes: count,
  arenaBytes: count,
  stackBytes: count,
  outputCrc32: z.array(crc32),
  /** Share of right answers of the emulated firmware, 0..1, and CRC-32 over the outputs of all samples. */
  accuracy: z
    .strictObject({ samples: z.int().positive(), top1: z.number().min(0).max(1), outputCrc32: crc32 })
    .nullable(),
});

const opCost = z.strictObject({
  index: count,
  opcode: z.string(),
  cycles: count.nullable(),
  instructions: count,
});

const functionCost = z.strictObject({
  /** Index of the op it ran for; null: for none. */
  op: count.nullable(),
  name: z.string(),
  /** Its own, without what it calls. */
  cycles: count.nullable(),
  instructions: count,
});

const entry = z.strictObject({
  /** Path of the .tflite, relative to the lock file. */
  model: z.string().min(1),
  modelSha256: z.string().regex(/^[0-9a-f]{64}$/),
  board: z.string().min(1),
  /** Where start-up code copies the weights to; absent: they are read from flash. */
  weights: z.literal('ram').optional(),
  data: dataSet.nullable(),
  /** Instead of those of the file. */
  tolerances: tolerances.partial().optional(),
  figures,
  ops: z.array(opCost),
  functions: z.array(functionCost),
  /** Bytes of functions and constants, by name. */
  symbols: z.record(z.string(), count),
});

const lockFile = z.strictObject({
  schemaVersion: z.literal(1),
  tools: z.strictObject({ thumbelina: z.string(), compiler: z.string() }),
  tolerances,
  entries: z.array(entry),
});

export type LockFile = z.infer<typeof lockFile>;
export type LockEntry = z.infer<typeof entry>;
export type Figures = z.infer<typeof figures>;
export type Tolerances = z.infer<typeof tolerances>;
export type DataChoice = z.infer<typeof dataSet>;
export type OpCost = z.infer<typeof opCost>;
export type FunctionCost = z.infer<typeof functionCost>;

export const NO_TOLERANCE: Tolerances = {
  cyclesPct: 0,
  instructionsPct: 0,
  flashPct: 0,
  ramPct: 0,
  stackPct: 0,
  accuracyPoints: 0,
};

/** Null when there is no such file. @throws UserError naming file and field */
export function readLockFile(path: string): LockFile | null {
  if (!existsSync(path)) return null;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path}: ${error instanceof Error ? error.message : String(error)}; expected a lock file`);
  }
  const parsed = lockFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; make it anew with check --update MODEL --board B`,
  );
}

/** What tells entries apart: model, board and where the weights are. */
export function keyOf({ model, board, weights }: Pick<LockEntry, 'model' | 'board' | 'weights'>): string {
  return [model, board, ...(weights === undefined ? [] : [weights])].join('\u0000');
}

/** Entries sorted by model, board and weights; the same content gives the same bytes. */
export function writeLockFile(path: string, lock: LockFile): void {
  writeFileSync(path, formatLock(lock));
}

export function formatLock(lock: LockFile): string {
  // Fields in the order of the schema, whoever made the object.
  const { schemaVersion, tools, tolerances: limits, entries } = lockFile.parse(lock);
  const sorted = [...entries].sort((a, b) => compareTexts(keyOf(a), keyOf(b)));
  const rows = (list: readonly unknown[]): string =>
    list.length === 0 ? '[]' : `[\n${list.map((item) => `        ${JSON.stringify(item)}`).join(',\n')}\n      ]`;
  const entryText = ({ ops, functions, ...rest }: LockEntry): string => {
    const fields = Object.entries(rest).filter(([, value]) => value !== undefined);
    const lines = fields.map(([key, value]) => `      ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    return [
      '    {',
      [...lines, `      "ops": ${rows(ops)}`, `      "functions": ${rows(functions)}`].join(',\n'),
      '    }',
    ].join('\n');
  };
  return [
    '{',
    `  "schemaVersion": ${schemaVersion},`,
    `  "tools": ${JSON.stringify(tools)},`,
    `  "tolerances": ${JSON.stringify(limits)},`,
    `  "entries": [${sorted.length === 0 ? '' : `\n${sorted.map(entryText).join(',\n')}\n  `}]`,
    '}\n',
  ].join('\n');
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
