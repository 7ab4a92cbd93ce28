/** `npm run fuzz -- --seed N`: the engine against its oracles on random code. Exit code 1 when anything differs that no mask explains. */
import { Command, InvalidArgumentError } from 'commander';
import { note, print, reportError, table } from '../../cli/output.ts';
import { faultMix, mixes, type Mix } from './classes.ts';
import { fuzzQemu, fuzzUnicorn, SEQUENCE_LENGTH, type FuzzResult } from './instruction-fuzz.ts';
import { MaskCounts, masks } from './masks.ts';
import { hasQemu, m4Target, QemuBatch } from './qemu-batch.ts';
import { runRandomBytes } from './random-bytes.ts';

const DEFAULT_COUNT = 5_000_000;
const RANDOM_BYTES_SEEDS = 1000;
const BOARDS = ['core-m4', 'mps2-an386'];

interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  readonly only?: string;
  readonly json?: boolean;
}

/** Of all executions, how many go to which oracle, and how our engine runs them. */
const shares = [
  { name: 'unicorn, interpreted', oracle: 'unicorn', hotPasses: Infinity, share: 0.2 },
  { name: 'unicorn, translated', oracle: 'unicorn', hotPasses: 1, share: 0.1 },
  // Each sequence runs once, far from hot; the loops of the runner around it need not be slow.
  { name: 'qemu, interpreted', oracle: 'qemu', hotPasses: 60, share: 0.65 },
  { name: 'qemu, translated', oracle: 'qemu', hotPasses: 1, share: 0.05 },
] as const;

interface Row {
  readonly oracle: string;
  readonly class: string;
  readonly executed: number;
  readonly differences: readonly string[];
}

function natural(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a natural number is wanted.');
  return Number(text);
}

function runShares(options: FuzzOptions, counts: MaskCounts): Row[] {
  const wanted = (mix: Mix): boolean => options.only === undefined || mix.name === options.only;
  const qemu = hasQemu() ? new QemuBatch(m4Target) : null;
  if (qemu === null) note('fuzz: qemu-system-arm is not installed; its share is left out');
  const rows: Row[] = [];
  for (const { name, oracle, hotPasses, share } of shares) {
    if (oracle === 'qemu' && qemu === null) continue;
    const parts = [...mixes, ...(oracle === 'qemu' ? [faultMix] : [])].filter(wanted);
    for (const mix of parts) {
      const sequences = Math.ceil((options.count * share) / parts.length / SEQUENCE_LENGTH);
      const part = { mix, seed: options.seed, sequences, hotPasses };
      const started = performance.now();
      const result: FuzzResult = oracle === 'unicorn' ? fuzzUnicorn(part, counts) : fuzzQemu(part, qemu!, counts);
      rows.push({ oracle: name, class: mix.name, ...result });
      note(
        `fuzz: ${name}: ${mix.name}: ${result.executed} executed, ${result.differences.length} differences, ${((performance.now() - started) / 1000).toFixed(1)} s`,
      );
    }
  }
  qemu?.close();
  return rows;
}

function fuzz(options: FuzzOptions): void {
  const counts = new MaskCounts();
  const rows = runShares(options, counts);
  const executed = rows.reduce((sum, row) => sum + row.executed, 0);
  const differences = rows.flatMap((row) => row.differences.map((text) => `${row.oracle}: ${row.class}: ${text}`));
  const unexecuted = rows.filter((row) => row.executed === 0).map((row) => row.class);
  const randomBytes = Object.fromEntries(
    runRandomBytes(
      Array.from({ length: RANDOM_BYTES_SEEDS }, (_, index) => options.seed * RANDOM_BYTES_SEEDS + index),
      BOARDS,
    ),
  );
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
        ['oracle', 'class', 'executed', 'differences'],
        rows.map((row) => [row.oracle, row.class, row.executed, row.differences.length]),
      ),
      `random bytes from ${RANDOM_BYTES_SEEDS} seeds: ${JSON.stringify(randomBytes)}`,
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
  .option('--only <class>', 'one class of encodings')
  .option('--json', 'print JSON')
  .action(fuzz);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
