/**
 * Speed of the engines on the same ELFs: `node dist/bench/engine.js [--runs N] [--rounds N] [--firmware ELF]`. Runs are paired: every
 * round times each engine once, in turn, and the medians are printed. Ours and libunicorn count exact Cortex-M4 cycles meanwhile;
 * qemu-system-arm has no cycle model. A firmware (from `thumbelina build`) is booted, then its <model>_invoke is timed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBoard } from '../boards/load.ts';
import { assert } from '../common/errors.ts';
import { createMachine, type EngineName } from '../emulator/create-machine.ts';
import type { Machine } from '../emulator/machine.ts';
import { programs } from './engine-programs.ts';

const BOARD = 'mps2-an386';
const NS_PER_S = 1e9;

interface Timing {
  readonly seconds: number;
  readonly cycles: number;
  readonly instructions: number;
}

const now = (): number => Number(process.hrtime.bigint()) / NS_PER_S;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

function build(folder: string, name: string, source: string, rounds: number): string {
  const file = join(folder, `${name}.c`);
  const elf = join(folder, `${name}.elf`);
  const script = join(folder, 'link.ld');
  writeFileSync(file, source);
  writeFileSync(
    script,
    'SECTIONS { . = 0; .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } . = 0x20000000; .data : { *(.data*) } .bss : { *(.bss*) } }',
  );
  const args = [
    '-mcpu=cortex-m4',
    '-mthumb',
    '-mfloat-abi=hard',
    '-mfpu=fpv4-sp-d16',
    '-O2',
    '-nostdlib',
    '-ffreestanding',
  ];
  const result = spawnSync(
    'arm-none-eabi-gcc',
    [...args, `-DROUNDS=${rounds}`, '-T', script, file, '-lgcc', '-o', elf],
    {
      encoding: 'utf8',
    },
  );
  assert(result.status === 0, result.stderr);
  return elf;
}

function timeProgram(elf: string, engine: EngineName): Timing {
  const machine = createMachine({ board: loadBoard(BOARD), image: readFileSync(elf), engine });
  const start = now();
  const { stop, cycles, instructions } = machine.run({ maxCycles: 1e12 });
  const seconds = now() - start;
  machine.close();
  assert(stop === 'exit', `${elf} on ${engine} stopped by ${stop}`);
  return { seconds, cycles, instructions };
}

function timeQemu(elf: string): number | null {
  const start = now();
  const args = ['-M', BOARD, '-nographic', '-semihosting', '-monitor', 'none', '-serial', 'null', '-kernel', elf];
  const result = spawnSync('qemu-system-arm', args, { timeout: 120_000 });
  return result.error === undefined ? now() - start : null;
}

/** One line: medians in MIPS. @param qemuStartSeconds what an empty program takes there */
function report(name: string, times: ReadonlyMap<string, readonly number[]>, instructions: number): void {
  const columns = [...times].map(
    ([engine, seconds]) => `${engine} ${(instructions / median(seconds) / 1e6).toFixed(0)} MIPS`,
  );
  process.stdout.write(`${name.padEnd(10)} ${(instructions / 1e6).toFixed(0)} M instructions: ${columns.join(', ')}\n`);
}

function comparePrograms(runs: number, rounds: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  for (const [name, source] of Object.entries(programs)) {
    const elf = build(folder, name, source, rounds);
    const qemuStart = build(folder, `${name}-empty`, source, 0);
    const times = new Map<string, number[]>([
      ['wasm', []],
      ['unicorn', []],
      ['qemu', []],
    ]);
    let instructions = 0;
    for (let run = 0; run < runs; run++) {
      const ours = timeProgram(elf, 'wasm');
      const theirs = timeProgram(elf, 'unicorn');
      assert(ours.cycles === theirs.cycles && ours.instructions === theirs.instructions, `${name}: counters differ`);
      times.get('wasm')?.push(ours.seconds);
      times.get('unicorn')?.push(theirs.seconds);
      instructions = ours.instructions;
      const [full, empty] = [timeQemu(elf), timeQemu(qemuStart)];
      if (full !== null && empty !== null) times.get('qemu')?.push(full - empty);
    }
    if (times.get('qemu')?.length === 0) times.delete('qemu');
    report(name, times, instructions);
  }
  rmSync(folder, { recursive: true });
}

function bootFirmware(elf: string, engine: EngineName): { machine: Machine; invoke: string; arena: number } {
  const machine = createMachine({ board: loadBoard(BOARD), image: readFileSync(elf), engine });
  machine.run();
  const invoke = machine.symbols.all.map(({ name }) => name).find((name) => name.endsWith('_invoke'));
  assert(invoke !== undefined, `${elf}: no <model>_invoke`);
  const arena = machine.symbol('tl_arena');
  // Inputs that make work: bytes of all values; read as singles, numbers from 0.1 to 0.5.
  machine.writeMemory(
    arena.address,
    Uint8Array.from({ length: arena.bytes & ~3 }, (_, i) => (i % 4 === 3 ? 0x3e : i * 37)),
  );
  return { machine, invoke, arena: arena.address };
}

function compareFirmware(elf: string, runs: number): void {
  const sides = (['wasm', 'unicorn'] as const).map((engine) => ({
    engine,
    ...bootFirmware(elf, engine),
    seconds: [] as number[],
  }));
  let instructions = 0;
  for (let run = 0; run < runs; run++) {
    for (const side of sides) {
      const start = now();
      instructions = side.machine.call(side.invoke, [side.arena], { maxCycles: 1e12 }).instructions;
      side.seconds.push(now() - start);
    }
  }
  report('firmware', new Map(sides.map(({ engine, seconds }) => [engine, seconds])), instructions);
  for (const { machine } of sides) machine.close();
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '300' },
    firmware: { type: 'string' },
  },
});
if (values.firmware === undefined) comparePrograms(Number(values.runs), Number(values.rounds));
else compareFirmware(values.firmware, Number(values.runs));
