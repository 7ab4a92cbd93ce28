/** Paired runs: every round times each engine once, in turn. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import type { TimingMode } from '../../emulator/board-timing.ts';
import { RP2040_BOARD, type Timing } from './time-one.ts';

export const BOARD = 'mps2-an386';
/** Its flash has wait states behind an accelerator with caches. */
export const WAITING_BOARD = 'nucleo-l4r5zi';
const RUN_MS_MAX = 300_000;
const EXIT_CODE_MASK = 0xff;

/** An ELF and the same program without its work. */
export interface Subject {
  readonly name: string;
  readonly elf: string;
  readonly empty: string;
}

/** Medians. */
export interface Row {
  readonly name: string;
  readonly instructions: number;
  readonly cycles: number;
  /** Millions of instructions per second, by engine. */
  readonly mips: Readonly<Record<string, number>>;
  /** Our speed over the other engine's, of each pair. */
  readonly ratio: Readonly<Record<string, number>>;
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function timeInProcess(elf: string, engine: string, board: string, timing: TimingMode = 'flat'): Timing {
  const script = fileURLToPath(new URL('time-one.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, elf, engine, board, timing], {
    encoding: 'utf8',
    timeout: RUN_MS_MAX,
  });
  if (status !== 0) throw new Error(`${elf} on ${engine}: ${stderr}`);
  return JSON.parse(stdout) as Timing;
}

/** Wall time of a whole process in seconds, and its exit code. */
function timeProcess(command: string, args: readonly string[]): { seconds: number; status: number | null } {
  const start = performance.now();
  const { error, status } = spawnSync(command, args, { timeout: RUN_MS_MAX });
  const seconds = (performance.now() - start) / 1000;
  if (error !== undefined) throw new UserError(`${command}: ${error.message}`, 3);
  return { seconds, status };
}

function timeQemu({ elf, empty }: Subject, { instructions, exitCode }: Timing): Timing {
  const args = (file: string): string[] => [
    ...['-M', BOARD, '-nographic', '-semihosting', '-monitor', 'none', '-serial', 'null', '-kernel', file],
  ];
  const full = timeProcess('qemu-system-arm', args(elf));
  assert(full.status === (exitCode & EXIT_CODE_MASK), `${elf}: QEMU's checksum is ${full.status}, ours ${exitCode}`);
  const start = timeProcess('qemu-system-arm', args(empty));
  return { seconds: full.seconds - start.seconds, cycles: null, instructions, exitCode };
}

function compare(name: string, runs: number, once: () => Readonly<Record<string, Timing>>): Row {
  const rounds = Array.from({ length: runs }, once);
  const { wasm } = rounds[0]!;
  assert(wasm?.cycles != null, 'our engine counts cycles');
  const engines = Object.keys(rounds[0]!);
  const speed = ({ instructions, seconds }: Timing): number => instructions / seconds / 1e6;
  const byEngine = (of: (round: Readonly<Record<string, Timing>>, engine: string) => number): Record<string, number> =>
    Object.fromEntries(engines.map((engine) => [engine, median(rounds.map((round) => of(round, engine)))]));
  return {
    name,
    instructions: wasm.instructions,
    cycles: wasm.cycles,
    mips: byEngine((round, engine) => speed(round[engine]!)),
    ratio: byEngine((round, engine) => round[engine]!.seconds / round['wasm']!.seconds),
  };
}

/** Ours with exact Cortex-M4 timing, libunicorn with the native block hook that counts cycles, QEMU without its start-up. */
export function compareM4(subject: Subject, runs: number): Row {
  return compare(subject.name, runs, () => {
    const wasm = timeInProcess(subject.elf, 'wasm', BOARD);
    const unicorn = timeInProcess(subject.elf, 'unicorn', BOARD);
    const { cycles, instructions, exitCode } = wasm;
    assert(
      cycles === unicorn.cycles && instructions === unicorn.instructions && exitCode === unicorn.exitCode,
      `${subject.name}: counters or checksums differ`,
    );
    return { wasm, unicorn, qemu: timeQemu(subject, wasm) };
  });
}

/** Flat timing as an engine beside exact timing, which is ours here. */
export function compareTimings({ name, elf }: Subject, runs: number): Row {
  return compare(name, runs, () => {
    const wasm = timeInProcess(elf, 'wasm', WAITING_BOARD, 'exact');
    const flat = timeInProcess(elf, 'wasm', WAITING_BOARD, 'flat');
    assert(wasm.exitCode === flat.exitCode && wasm.instructions === flat.instructions, `${name}: checksums differ`);
    assert(wasm.cycles! > flat.cycles!, `${name}: memories with wait states take longer`);
    return { wasm, flat };
  });
}

/** rp2040js counts the BKPT at the end, too. */
export function compareM0plus(subject: Subject, runs: number): Row {
  return compare(subject.name, runs, () => {
    const wasm = timeInProcess(subject.elf, 'wasm', RP2040_BOARD);
    const rp2040js = timeInProcess(subject.elf, 'rp2040js', RP2040_BOARD);
    assert(
      wasm.exitCode === rp2040js.exitCode && wasm.instructions === rp2040js.instructions - 1,
      `${subject.name}: instructions or checksums differ`,
    );
    return { wasm, rp2040js };
  });
}

/** Median wall time of `thumbelina sim` on a program that exits at once, in milliseconds; all of it comes before the first instruction. */
export function startupMs(elf: string, runs: number): number {
  const args = [join(packageRoot(), 'bin', 'thumbelina'), 'sim', elf, '--board', BOARD];
  return 1000 * median(Array.from({ length: runs }, () => timeProcess(process.execPath, args).seconds));
}
