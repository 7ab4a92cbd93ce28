/** `thumbelina check`: entries of a lock file measured anew and compared, or measured to be locked. */
import { dirname, join, relative, resolve } from 'node:path';
import { assert } from '../../common/errors.ts';
import { findToolchain } from '../../firmware-gen/toolchain/index.ts';
import { packageVersion } from '../../common/package-root.ts';
import { compareEntry, type EntryResult, type Outcome } from './compare.ts';
import { keyOf, NO_TOLERANCE, type LockEntry, type LockFile } from './lock-file.ts';
import type { Samples } from './measure.ts';
import { measureAll } from './pool.ts';
import type { MeasureFailure } from './worker.ts';

export interface CheckDocument {
  readonly schemaVersion: 1;
  readonly outcome: Outcome;
  readonly tools: LockFile['tools'];
  readonly entries: readonly EntryResult[];
  readonly notes: readonly string[];
}

/** What is to be measured. Paths of model and data are relative to the lock file. */
export type Wanted = Pick<LockEntry, 'model' | 'board' | 'weights' | 'data'>;

export interface CheckOptions {
  readonly lockPath: string;
  /** Build folder. */
  readonly dir: string;
  /** Samples of an entry that names a data set. @throws UserError for everything that is wrong with the data */
  readonly loadSamples: (modelPath: string, data: NonNullable<LockEntry['data']>) => Samples;
  readonly onProgress?: (done: number) => void;
}

/** As written in a lock file: relative to its folder, with forward slashes. */
export function pathInLock(lockPath: string, path: string): string {
  return relative(dirname(resolve(lockPath)), resolve(path)).replaceAll('\\', '/');
}

export async function checkEntries(
  lock: LockFile,
  entries: readonly LockEntry[],
  options: CheckOptions,
): Promise<CheckDocument> {
  const tools = await currentTools();
  const replies = await measureAll(jobsFor(entries, options, true), options.onProgress);
  const results = entries.map((entry, index) => {
    const reply = replies[index];
    assert(reply !== undefined, 'a reply for every job');
    return 'failure' in reply ? failed(entry, reply.failure) : compareEntry(entry, reply.measurement, lock.tolerances);
  });
  const notes = (['thumbelina', 'compiler'] as const)
    .filter((tool) => tools[tool] !== lock.tools[tool])
    .map((tool) => `${tool}: locked with "${lock.tools[tool]}", now "${tools[tool]}"`);
  return { schemaVersion: 1, outcome: worst(results), tools, entries: results, notes };
}

export interface Update {
  readonly lock: LockFile;
  /** Entries that could not be measured; the lock is to be kept as it was. */
  readonly failures: readonly (MeasureFailure & Wanted)[];
}

/** The lock with the wanted entries measured anew; others, tolerances and data sets stay. */
export async function updateEntries(
  lock: LockFile | null,
  wanted: readonly Wanted[],
  options: CheckOptions,
): Promise<Update> {
  const tools = await currentTools();
  const replies = await measureAll(jobsFor(wanted, options, false), options.onProgress);
  const failures: (MeasureFailure & Wanted)[] = [];
  const updated = new Map((lock?.entries ?? []).map((entry) => [keyOf(entry), entry]));
  for (const [index, { model, board, weights, data }] of wanted.entries()) {
    const named = { model, board, ...(weights === undefined ? {} : { weights }), data };
    const reply = replies[index];
    assert(reply !== undefined, 'a reply for every job');
    if ('failure' in reply) {
      failures.push({ ...reply.failure, ...named });
      continue;
    }
    const { functions, ...measured } = reply.measurement;
    const tolerances = updated.get(keyOf(named))?.tolerances;
    updated.set(keyOf(named), {
      ...named,
      ...(tolerances === undefined ? {} : { tolerances }),
      ...measured,
      functions: [...(functions ?? [])],
    });
  }
  const tolerances = lock?.tolerances ?? NO_TOLERANCE;
  return { lock: { schemaVersion: 1, tools, tolerances, entries: [...updated.values()] }, failures };
}

function jobsFor(
  entries: readonly (Wanted & Partial<Pick<LockEntry, 'figures'>>)[],
  { lockPath, dir, loadSamples }: CheckOptions,
  compares: boolean,
) {
  const folder = dirname(resolve(lockPath));
  return entries.map((entry) => {
    const modelPath = join(folder, entry.model);
    return {
      modelPath,
      // A board is a built-in name or the path of a description beside the lock file.
      board: entry.board.endsWith('.json') ? join(folder, entry.board) : entry.board,
      weightsInRam: entry.weights === 'ram',
      samples: entry.data === null ? null : loadSamples(modelPath, entry.data),
      dir,
      locked: compares && entry.figures !== undefined ? entry.figures : null,
    };
  });
}

async function currentTools(): Promise<LockFile['tools']> {
  return { thumbelina: packageVersion(), compiler: (await findToolchain()).version };
}

function failed({ model, board, weights }: Wanted, { message, exitCode }: MeasureFailure): EntryResult {
  const nothing = { figures: null, changes: [], ops: [], functions: [], symbols: [] };
  return { model, board, weights: weights ?? 'flash', outcome: 'error', messages: [message], ...nothing, exitCode };
}

function worst(results: readonly EntryResult[]): Outcome {
  for (const outcome of ['error', 'wrong-answer', 'regression'] as const)
    if (results.some((result) => result.outcome === outcome)) return outcome;
  return 'ok';
}
