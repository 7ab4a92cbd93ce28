/** `thumbelina check`: is every locked model on every board as fast, as small and as right as the lock file says? */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
import {
  checkEntries,
  pathInLock,
  updateEntries,
  type CheckDocument,
  type CheckOptions,
  type Wanted,
} from '../harness/check/check.ts';
import { signedPct, type EntryResult } from '../harness/check/compare.ts';
import { boardName, entryName, explainGrowth } from '../harness/check/explain.ts';
import { appendHistory } from '../harness/check/history.ts';
import { junitXml } from '../harness/check/junit.ts';
import { keyOf, readLockFile, writeLockFile, type DataChoice, type LockFile } from '../harness/check/lock-file.ts';
import { githubAnnotations, markdown } from '../harness/check/markdown.ts';
import { dirOption, nonNegativeInteger, weightsOption, type WeightsMemory } from './options.ts';
import { print, table, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { lockedSamples } from './check-data.ts';

interface CheckArguments extends JsonOption {
  readonly output: string;
  readonly lock: string;
  readonly board?: readonly string[];
  readonly update?: boolean;
  readonly weights: WeightsMemory;
  readonly data?: string;
  readonly samples?: number;
  readonly seed: number;
  readonly split?: string;
  readonly github?: boolean;
  readonly history?: string;
  readonly label: string;
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('compare models with thumbelina.lock.json: cycles, memory, outputs, accuracy; exit 1 when worse')
    .argument('[models...]', '.tflite files (default: all of the lock file)')
    .option('-b, --board <list>', 'boards, separated by commas (default: all of the lock file)', (text) =>
      text.split(','),
    )
    .option('--lock <file>', 'the lock file', 'thumbelina.lock.json')
    .option('--update', 'measure and write the lock file; models and boards named are added')
    .addOption(weightsOption('with --update and models: where weights are read from; ram: start-up code copies them'))
    .option('--data <path>', 'with --update: lock the accuracy on this data set, too (docs/data-sets.md)')
    .option('--samples <count>', 'with --data: draw so many (default: all)', nonNegativeInteger)
    .option('--seed <seed>', 'with --data: which samples are drawn', nonNegativeInteger, 1)
    .option('--split <name>', 'with --data: split of the data set (default: all but train)')
    .option('--github', "errors as annotations in GitHub's log (standard error)")
    .option('--history <file>', 'append the figures as a line of JSON')
    .option('--label <text>', 'name of that line (default: the commit, where CI says it)', defaultLabel())
    .addOption(dirOption())
    .option('--json', 'print JSON')
    .action(async (models: string[], options: CheckArguments) => {
      const lock = readLockFile(options.lock);
      if (options.update === true) await update(lock, models, options);
      else await check(lock, models, options);
    });
}

function defaultLabel(): string {
  return process.env['GITHUB_SHA'] ?? process.env['CI_COMMIT_SHA'] ?? '';
}

async function check(lock: LockFile | null, models: readonly string[], options: CheckArguments): Promise<void> {
  if (lock === null)
    throw new UserError(`${options.lock}: no such file; make it with: thumbelina check --update MODEL --board B`);
  if (options.weights === 'ram')
    throw new UserError('--weights ram goes with --update; a check takes what the lock file names');
  if (options.data !== undefined)
    throw new UserError('--data goes with --update; a check takes what the lock file names');
  const paths = models.map((model) => pathInLock(options.lock, model));
  const entries = lock.entries.filter(
    ({ model, board }) => (paths.length === 0 || paths.includes(model)) && (options.board?.includes(board) ?? true),
  );
  const absent = [
    ...paths.filter((path) => !lock.entries.some(({ model }) => model === path)),
    ...(options.board ?? []).filter((name) => !lock.entries.some(({ board }) => board === name)),
  ];
  if (absent.length > 0 || entries.length === 0)
    throw new UserError(`${options.lock}: has no entry for ${absent.join(', ') || 'that'}; add it with check --update`);
  const document = await checkEntries(lock, entries, checkOptions(options, entries.length));
  writeReports(document, options);
  print(options, document, () => formatCheck(document));
  process.exitCode = exitCodeOf(document);
}

function exitCodeOf({ outcome, entries }: CheckDocument): number {
  return entries.find((entry) => entry.outcome === outcome)?.exitCode ?? 0;
}

async function update(lock: LockFile | null, models: readonly string[], options: CheckArguments): Promise<void> {
  const wanted = wantedEntries(lock, models, options);
  const { lock: updated, failures } = await updateEntries(lock, wanted, checkOptions(options, wanted.length));
  const [failure] = failures;
  if (failure !== undefined)
    throw new UserError(`${entryName(failure)}: ${failure.message}; the lock file is as it was`, failure.exitCode);
  writeLockFile(options.lock, updated);
  const document = { schemaVersion: 1, outcome: 'updated', lock: options.lock, entries: wanted };
  print(options, document, () => `${options.lock}: ${wanted.length} of ${updated.entries.length} entries measured`);
}

/** Entries named, or all there are. */
function wantedEntries(lock: LockFile | null, models: readonly string[], options: CheckArguments): readonly Wanted[] {
  const known = lock?.entries ?? [];
  const data = dataChoice(options);
  if (models.length === 0) {
    if (known.length === 0)
      throw new UserError('check --update: no model named and no lock file; give MODEL --board B');
    if (options.weights === 'ram')
      throw new UserError('--weights ram belongs to a model; name it: check --update MODEL --board B --weights ram');
    if (data !== null)
      throw new UserError('--data belongs to a model; name it: check --update MODEL --board B --data DIR');
    return known.filter(({ board }) => options.board?.includes(board) ?? true);
  }
  const paths = models.map((model) => pathInLock(options.lock, model));
  const boards = options.board ?? [...new Set(known.map(({ board }) => board))];
  if (boards.length === 0) throw new UserError('check --update: no board named; give --board B,C');
  return paths.flatMap((model) =>
    boards.map((board) => {
      const named = { model, board, ...(options.weights === 'ram' ? { weights: 'ram' as const } : {}) };
      const before = known.find((entry) => keyOf(entry) === keyOf(named));
      return { ...named, data: data ?? before?.data ?? null };
    }),
  );
}

function dataChoice({ data, samples, seed, split, lock }: CheckArguments): DataChoice | null {
  if (data === undefined) {
    if (samples !== undefined || split !== undefined) throw new UserError('--samples and --split need --data');
    return null;
  }
  if (samples === 0) throw new UserError('--samples 0: there is nothing to judge by; give more');
  return { path: pathInLock(lock, data), samples: samples ?? null, seed, split: split ?? null };
}

function checkOptions({ lock, output }: CheckArguments, total: number): CheckOptions {
  const bar = progress('check', total);
  return {
    lockPath: lock,
    dir: join(output, 'check'),
    loadSamples: (modelPath, data) => lockedSamples(lock, modelPath, data),
    onProgress: (done) => {
      bar.update(done);
      if (done === total) bar.stop();
    },
  };
}

function writeReports(document: CheckDocument, options: CheckArguments): void {
  mkdirSync(options.output, { recursive: true });
  const files = {
    'check.json': `${JSON.stringify(document, null, 2)}\n`,
    'check.junit.xml': junitXml(document),
    'check.md': markdown(document),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(options.output, name), text);
  if (options.github === true)
    for (const line of githubAnnotations(document, options.lock)) process.stderr.write(`${line}\n`);
  if (options.history !== undefined) appendHistory(options.history, options.label, document);
}

function formatCheck({ outcome, entries, notes }: CheckDocument): string {
  const rows = entries.map((entry) => {
    const { figures } = entry;
    const change = entry.changes.find(({ figure }) => figure === (figures?.cycles == null ? 'instructions' : 'cycles'));
    return [
      entry.model,
      boardName(entry),
      entry.outcome,
      figures?.cycles ?? null,
      change?.pct == null ? null : signedPct(change.pct),
      figures?.flashBytes ?? null,
      figures?.ramBytes ?? null,
      figures?.accuracy == null ? null : `${(100 * figures.accuracy.top1).toFixed(2)} %`,
    ];
  });
  return [
    table(['model', 'board', 'result', 'cycles', 'change', 'flash', 'RAM', 'top-1'], rows),
    ...entries.flatMap(explainEntry),
    ...(notes.length === 0 ? [] : ['', ...notes.map((text) => `note  ${text}`)]),
    '',
    `${outcome}: ${entries.length} entries`,
  ].join('\n');
}

function explainEntry(entry: EntryResult): string[] {
  const lines = [...entry.messages, ...explainGrowth(entry)];
  return lines.length === 0 ? [] : ['', `${entryName(entry)}: ${entry.outcome}`, ...lines.map((line) => `  ${line}`)];
}
