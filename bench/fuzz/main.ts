/** `npm run fuzz -- --seed N`: the engine against its oracles on random code. Exit code 1 when anything differs that no mask explains. */
import { Command, InvalidArgumentError } from 'commander';
import { note, print, reportError, table } from '../../cli/output.ts';
import { mixesOf } from './classes.ts';
import { fuzzCores, type FuzzCore } from './fuzz-cores.ts';
import { fuzzQemu, fuzzUnicorn, SEQUENCE_LENGTH } from './instruction-fuzz.ts';
import { MaskCounts, masks } from './masks.ts';
import { hasQemu, QemuBatch } from './qemu-batch.ts';
import { runRandomBytes } from './random-bytes.ts';

const DEFAULT_COUNT = 5_000_000;
const RANDOM_BYTES_SEEDS = 1000;
const BOARDS = ['core-m4', 'mps2-an386'];

interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  readonly core?: string;
  readonly only?: string;
  readonly json?: boolean;
}

interface Share {
  readonly target: FuzzCore;
  readonly oracle: 'unicorn' | 'qemu';
  readonly how: 'interpreted' | 'translated';
  /** Of all executions. */
  readonly share: number;
}

/** On QEMU, of all executions. */
const qemuShares: Readonly<Record<string, number>> = {
  'cortex-m4': 0.22,
  'cortex-m7': 0.28,
  'cortex-m33': 0.18,
  'cortex-m3': 0.06,
  'cortex-m0': 0.04,
  'cortex-m0plus': 0.02,
  'cortex-m23': 0.04,
};
const UNICORN_SHARE = 0.06;
const TRANSLATED_PART = 0.1;

const shares: readonly Share[] = fuzzCores.flatMap((target) => {
  const split = (oracle: Share['oracle'], share: number): Share[] => [
    { target, oracle, how: 'interpreted', share: share * (1 - TRANSLATED_PART) },
    { target, oracle, how: 'translated', share: share * TRANSLATED_PART },
  ];
  return [...(target.onUnicorn ? split('unicorn', UNICORN_SHARE) : []), ...split('qemu', qemuShares[target.name] ?? 0)];
});

/** Passes of a block before our engine translates it. */
function hotPassesOf({ oracle, how }: Share): number {
  if (how === 'translated') return 1;
  // On the runner of QEMU each sequence runs once, far from hot; the loops around it need not be slow.
  return oracle === 'qemu' ? 60 : Infinity;
}

interface Row {
  readonly core: string;
  readonly oracle: string;
  readonly class: string;
  readonly executed: number;
  readonly differences: readonly string[];
}

function natural(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a natural number is wanted.');
  return Number(text);
}

function runShare(part: Share, options: FuzzOptions, counts: MaskCounts): Row[] {
  const { target, oracle, how, share } = part;
  const mixes = mixesOf(target.core, oracle === 'qemu').filter(({ name }) => (options.only ?? name) === name);
  const batch = oracle === 'qemu' ? new QemuBatch(target) : null;
  const started = performance.now();
  const sequences = Math.ceil((options.count * share) / mixes.length / SEQUENCE_LENGTH);
  const parts = mixes.map((mix) => ({ target, mix, seed: options.seed, sequences, hotPasses: hotPassesOf(part) }));
  const results =
    batch === null ? parts.map((fuzzPart) => fuzzUnicorn(fuzzPart, counts)) : fuzzQemu(parts, batch, counts);
  const rows = mixes.map(({ name }, index) => ({
    core: target.name,
    oracle: `${oracle}, ${how}`,
    class: name,
    ...results[index]!,
  }));
  batch?.close();
  const [executed, found] = [rows.reduce((sum, row) => sum + row.executed, 0), rows.flatMap((row) => row.differences)];
  note(
    `fuzz: ${target.name}, ${oracle}, ${how}: ${executed} executed, ${found.length} differences, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return rows;
}

function runShares(options: FuzzOptions, counts: MaskCounts): Row[] {
  const withQemu = hasQemu();
  if (!withQemu) note('fuzz: qemu-system-arm is not installed; its share is left out');
  return shares
    .filter(({ target, oracle }) => (options.core ?? target.name) === target.name && (withQemu || oracle !== 'qemu'))
    .flatMap((share) => runShare(share, options, counts));
}

function fuzz(options: FuzzOptions): void {
  const counts = new MaskCounts();
  const rows = runShares(options, counts);
  const executed = rows.reduce((sum, row) => sum + row.executed, 0);
  const differences = rows.flatMap((row) =>
    row.differences.map((text) => `${row.core}, ${row.oracle}: ${row.class}: ${text}`),
  );
  const unexecuted = rows.filter((row) => row.executed === 0).map((row) => `${row.core} ${row.class}`);
  const isWhole = options.core === undefined && options.only === undefined;
  const seeds = Array.from(
    { length: isWhole ? RANDOM_BYTES_SEEDS : 0 },
    (_, index) => options.seed * RANDOM_BYTES_SEEDS + index,
  );
  const randomBytes = Object.fromEntries(runRandomBytes(seeds, BOARDS));
  const masked = Object.values(masks).map((mask) => ({ ...mask, applied: counts.of(mask.name) }));
  const report = {
    schemaVersion: 1,
    seed: options.seed,
    executed,
    differences,
    unexecuted,
    randomBytes,
    masks: masked,
  };
  print(options, report, () =>
    [
      table(
        ['core', 'oracle', 'class', 'executed', 'differences'],
        rows.map((row) => [row.core, row.oracle, row.class, row.executed, row.differences.length]),
      ),
      `random bytes from ${seeds.length} seeds: ${JSON.stringify(randomBytes)}`,
      ...masked.map(({ name, reason, hides, applied }) => `mask ${name} (${applied} times): ${reason}; ${hides}`),
      ...differences,
      `${executed} instructions executed, ${differences.length} unexplained differences`,
    ].join('\n'),
  );
  if (differences.length > 0 || unexecuted.length > 0) process.exitCode = 1;
}

const program = new Command('fuzz')
  .description('random code on the wasm engine, libunicorn and QEMU')
  .option('--seed <n>', 'the same seed makes the same code', natural, 1)
  .option('--count <n>', 'instructions to execute', natural, DEFAULT_COUNT)
  .option('--core <name>', 'one core, such as cortex-m7')
  .option('--only <class>', 'one class of encodings')
  .option('--json', 'print JSON')
  .action(fuzz);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
