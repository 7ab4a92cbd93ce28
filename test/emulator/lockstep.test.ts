/**
 * Whole programs on the wasm engine and on libunicorn in lockstep: at every entry of every function the same registers, cycles and instructions; at
 * the end the same memory; and the same text as on QEMU. Twenty programs, each at one of three optimization levels.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { hasQemu, onQemu } from './support/on-qemu.ts';

const FOLDER = join(packageRoot(), 'test/emulator/programs');
const LEVELS = ['-O0', '-O2', '-Os'];
const programs = readdirSync(FOLDER).map((name, index) => [name, LEVELS[index % LEVELS.length]!] as const);
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

function follow(elf: Uint8Array, engine: EngineName): Run {
  const board = loadBoard('mps2-an386');
  let stdout = '';
  const machine = createMachine({
    board,
    image: elf,
    engine,
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
  },
);
