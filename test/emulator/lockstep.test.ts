/**
 * Whole programs on two engines in lockstep: at every entry of every function the same registers, cycles and instructions; at the end the same
 * memory; and the same text as on QEMU. Each program at one of three optimization levels. On the Cortex-M4 the second engine is libunicorn; on
 * the other cores it is our interpreter beside translated code.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { coreOf } from '../../emulator/cores/core.ts';
import { WasmCpu } from '../../emulator/cpu/wasm/wasm-cpu.ts';
import { cpuFlags } from '../../firmware-gen/emit/build-flags.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { hasQemu, onQemu } from './support/on-qemu.ts';

const FOLDER = join(packageRoot(), 'test/emulator/programs');
const LEVELS = ['-O0', '-O2', '-Os'];
const programs = readdirSync(FOLDER).map((name, index) => [name, LEVELS[index % LEVELS.length]!] as const);
/** The same programs on the machines of other cores; double precision in hardware is the Cortex-M7's. */
const onOtherCores = [
  ...['crc.c', 'formats.c', 'sort.c', 'aes128.c'].map((name) => [name, 'mps2-an385'] as const),
  ...['double.c', 'fft.c', 'mandelbrot.c', 'soft-double.c', 'float.c'].map((name) => [name, 'mps2-an500'] as const),
  ...['fft.c', 'machine.c', 'compress.c', 'double.c'].map((name) => [name, 'mps2-an505'] as const),
];
const MAX_CYCLES = 1e9;
const REGISTERS = 15;

interface Run {
  readonly stdout: string;
  readonly exitCode: number | null;
  readonly cycles: number;
  readonly instructions: number;
  /** Function entries passed, and the digest of all of them. */
  readonly passes: number;
  readonly trace: string;
  /** Digest after every so many passes: says how far two runs agree. */
  readonly checkpoints: readonly string[];
  readonly memory: string;
}

/** @param engine its name, or passes of a block after which our engine translates it */
function follow(elf: Uint8Array, engine: EngineName | number, board = loadBoard('mps2-an386')): Run {
  let stdout = '';
  const machine = createMachine({
    board,
    image: elf,
    engine: typeof engine === 'number' ? new WasmCpu(coreOf(board), engine) : engine,
    onConsole: (bytes) => {
      stdout += new TextDecoder().decode(bytes);
    },
  });
  const trace = createHash('sha256');
  const words = new Uint32Array(REGISTERS + 4);
  const checkpoints: string[] = [];
  let passes = 0;
  for (const { address, kind } of machine.symbols.all) {
    if (kind !== 'function') continue;
    machine.onMark(address, (pass) => {
      for (let register = 0; register < REGISTERS; register++) words[register] = machine.cpu.readRegister(register);
      words.set([pass.address, pass.cycles, pass.instructions], REGISTERS);
      trace.update(new Uint8Array(words.buffer));
      if (++passes % 64 === 0) checkpoints.push(trace.copy().digest('hex').slice(0, 8));
    });
  }
  const { stop, exitCode, cycles, instructions } = machine.run({ maxCycles: MAX_CYCLES });
  expect(stop).toBe('exit');
  const memory = createHash('sha256');
  for (const { kind, start, bytes } of board.memory)
    if (kind === 'ram') memory.update(machine.readMemory(start, bytes));
  machine.close();
  return {
    ...{ stdout, exitCode, cycles, instructions, passes, checkpoints },
    trace: trace.digest('hex'),
    memory: memory.digest('hex'),
  };
}

describe.skipIf(!hasCompiler || !hasQemu)(
  'whole programs in lockstep (needs arm-none-eabi-gcc and qemu-system-arm)',
  () => {
    it('there are at least twenty', () => {
      expect(programs.length).toBeGreaterThanOrEqual(20);
    });

    it.each(programs)('%s %s', { timeout: 120_000 }, (name, level) => {
      const source = readFileSync(join(FOLDER, name), 'utf8');
      const elf = buildProgram({ files: { 'main.c': source }, newlib: true, flags: [level, '-u', '_printf_float'] });
      const ours = follow(elf, 'wasm');
      expect(ours).toEqual(follow(elf, 'unicorn'));
      expect(ours.passes).toBeGreaterThan(50);
      expect(ours.stdout.length).toBeGreaterThan(4);
      const { stdout, exitCode } = onQemu(elf);
      expect({ stdout: ours.stdout, exitCode: ours.exitCode }).toEqual({ stdout, exitCode });
    });

    it.each(onOtherCores)('%s on %s', { timeout: 120_000 }, (name, boardName) => {
      const source = readFileSync(join(FOLDER, name), 'utf8');
      const board = loadBoard(boardName);
      const start = (kind: 'flash' | 'ram'): number => board.memory.find((memory) => memory.kind === kind)!.start;
      const places = { flashStart: start('flash'), ramStart: start('ram'), cpu: cpuFlags(board) };
      const flags = ['-O2', '-u', '_printf_float'];
      const elf = buildProgram({ files: { 'main.c': source }, newlib: true, flags, ...places });
      const translated = follow(elf, 60, board);
      expect(translated).toEqual(follow(elf, Infinity, board));
      expect(translated.passes).toBeGreaterThan(50);
      const { stdout, exitCode } = onQemu(elf, boardName);
      expect({ stdout: translated.stdout, exitCode: translated.exitCode }).toEqual({ stdout, exitCode });
    });
  },
);
