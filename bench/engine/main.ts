/**
 * `npm run bench:engine`: speed of our engine with exact timing against libunicorn, QEMU and rp2040js, on the same ELFs. Every requirement
 * is printed with what was measured; exit code 1 when one is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { note, print, reportError, table } from '../../cli/output.ts';
import { buildFirmware, buildProgram, modelOfFirmware } from './build-program.ts';
import {
  BOARD,
  compareM0plus,
  compareM4,
  compareTimings,
  startupMs,
  WAITING_BOARD,
  type Row,
  type Subject,
} from './measure.ts';
import { emptyProgram, exactPrograms, m0plusPrograms, m4Programs, type BenchProgram } from './programs.ts';

const RUNS_MIN_FOR_QUOTING = 5;
const STARTUP_RUNS = 11;
const needed = { qemu: 1, unicornOnGemm: 10, rp2040js: 20, flat: 0.7, startupMs: 250 } as const;

interface EngineOptions {
  readonly runs: number;
  readonly scale: number;
  readonly only?: string;
  readonly json?: boolean;
}

interface Requirement {
  readonly what: string;
  readonly unit: 'times' | 'ms';
  readonly measured: number;
  readonly needed: number;
  readonly met: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is wanted.');
  return value;
}

const atLeast = (what: string, measured: number, limit: number): Requirement => ({
  what,
  unit: 'times',
  measured,
  needed: limit,
  met: measured >= limit,
});

function requirementsOf(rows: readonly Row[]): Requirement[] {
  return rows.flatMap(({ name, ratio }) => {
    const { qemu, unicorn, rp2040js, flat } = ratio;
    return [
      ...(qemu === undefined ? [] : [atLeast(`${name}: against QEMU`, qemu, needed.qemu)]),
      ...(unicorn === undefined || name !== m4Programs[0]!.name
        ? []
        : [atLeast(`${name}: against Unicorn`, unicorn, needed.unicornOnGemm)]),
      ...(rp2040js === undefined ? [] : [atLeast(`${name}: against rp2040js`, rp2040js, needed.rp2040js)]),
      ...(flat === undefined ? [] : [atLeast(`${name}: against flat timing`, flat, needed.flat)]),
    ];
  });
}

async function measure(folder: string, { runs, scale, only }: EngineOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const wanted = (name: string): boolean => only === undefined || name.includes(only);
  const add = (row: Row): void => {
    rows.push(row);
    note(`bench: ${row.name}: ${formatSpeeds(row)}`);
  };
  const subject = (program: BenchProgram): Subject => ({
    name: program.name,
    elf: buildProgram(folder, program, Math.ceil(program.rounds * scale)),
    empty: buildProgram(folder, program, 0),
  });
  for (const program of m4Programs.filter(({ name }) => wanted(name))) add(compareM4(subject(program), runs));
  const { path, name, rounds } = modelOfFirmware();
  if (wanted(name)) {
    const elf = await buildFirmware(folder, path, Math.ceil(rounds * scale), BOARD);
    add(compareM4({ name, elf, empty: await buildFirmware(folder, path, 0, BOARD) }, runs));
  }
  if (wanted(`${name}, exact`)) {
    const elf = await buildFirmware(folder, path, Math.ceil(rounds * scale), WAITING_BOARD);
    add(compareTimings({ name: `${name}, exact`, elf, empty: elf }, runs));
  }
  for (const program of exactPrograms.filter((one) => wanted(one.name))) add(compareTimings(subject(program), runs));
  for (const program of m0plusPrograms.filter((one) => wanted(one.name))) add(compareM0plus(subject(program), runs));
  return rows;
}

const formatSpeeds = ({ mips }: Row): string =>
  Object.entries(mips)
    .map(([engine, speed]) => `${engine} ${speed.toFixed(0)}`)
    .join(', ');

function format(rows: readonly Row[], requirements: readonly Requirement[]): string {
  const ratios = ({ ratio }: Row): string =>
    Object.entries(ratio)
      .filter(([engine]) => engine !== 'wasm')
      .map(([engine, factor]) => `${factor.toFixed(2)} x ${engine}`)
      .join(', ');
  return [
    table(
      ['program', 'instructions', 'cycles', 'million instructions/s', 'ours is'],
      rows.map((row) => [row.name, row.instructions, row.cycles, formatSpeeds(row), ratios(row)]),
    ),
    '',
    table(
      ['required', 'measured', 'needed', ''],
      requirements.map(({ what, unit, measured, needed: limit, met }) => [
        what,
        unit === 'ms' ? `${measured.toFixed(0)} ms` : `${measured.toFixed(2)} x`,
        unit === 'ms' ? `< ${limit} ms` : `>= ${limit} x`,
        met ? 'met' : 'MISSED',
      ]),
    ),
  ].join('\n');
}

async function run(options: EngineOptions): Promise<void> {
  if (options.runs < RUNS_MIN_FOR_QUOTING) note(`bench: ${options.runs} runs are too few to quote; 5 are the least`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'));
  try {
    const rows = await measure(folder, options);
    const requirements = requirementsOf(rows);
    if (options.only === undefined || options.only === 'startup') {
      const measured = startupMs(buildProgram(folder, emptyProgram, 0), STARTUP_RUNS);
      const limit = needed.startupMs;
      requirements.push({ what: 'sim: start-up', unit: 'ms', measured, needed: limit, met: measured < limit });
    }
    print(options, { schemaVersion: 1, runs: options.runs, rows, requirements }, () => format(rows, requirements));
    process.exitCode = requirements.every(({ met }) => met) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const program = new Command('bench:engine')
  .description('speed of the engines, paired runs of the same ELFs')
  .option('--runs <n>', 'paired runs of each program; medians are taken', positive, RUNS_MIN_FOR_QUOTING)
  .option('--scale <factor>', 'how long the programs run, 1: about a second each on our engine', positive, 1)
  .option('--only <text>', 'programs whose name has this in it; startup: only that')
  .option('--json', 'print JSON')
  .action(run);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
