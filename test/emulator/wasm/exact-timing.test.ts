/**
 * Exact timing of memories with wait states in translated code: whole programs in slices of random length, at whose ends cycles, instructions and
 * registers are those of the interpreter, which asks the memory system about every fetch and every access.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { m0plusPrograms } from '../../../bench/engine/programs.ts';
import { loadBoard } from '../../../boards/load.ts';
import type { Board } from '../../../boards/schema.ts';
import { packageRoot } from '../../../common/package-root.ts';
import { hex32 } from '../../../common/units.ts';
import { cpuFlags } from '../../../firmware-gen/emit/build-flags.ts';
import { coreOf } from '../../../emulator/cores/core.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { Machine } from '../../../emulator/machine.ts';
import type { FlashSettings } from '../../../emulator/peripherals/flash-control.ts';
import { DataLines } from '../../../emulator/timing/data-lines.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';
import { buildFor } from '../support/build-for-core.ts';

const FOLDER = join(packageRoot(), 'test/emulator/programs');
const FLASH = 0x0800_0000;
const RAM = 0x2000_0000;
const STACK_TOP = 0x1_0000;
const CYCLES_MAX = 3e6;
const REGISTERS = 15;
const HOT_PASSES = 20;

const usual: FlashSettings = {
  waitStates: 5,
  lineBits: 64,
  prefetch: true,
  instructionCache: true,
  dataCache: true,
};
/** Taken in turn. */
const setUps: readonly Partial<FlashSettings>[] = [
  {},
  { prefetch: false },
  { dataCache: false, waitStates: 4 },
  { instructionCache: false },
  { lineBits: 128, waitStates: 3 },
];

/** Park and Miller, CACM 31(10), 1988. */
function* randoms(seed: number): Generator<number, never> {
  for (let state = seed; ;) yield (state = (state * 48_271) % 2_147_483_647);
}

interface Slice {
  readonly cycles: number;
  readonly instructions: number;
  readonly pc: number;
  readonly registers: readonly number[];
}

function machineOf(board: Board, elf: Uint8Array, hotPasses: number): Machine {
  return createMachine({ board, image: elf, engine: new WasmCpu(coreOf(board), hotPasses), timing: 'exact' });
}

/** The run in slices; the memory is set up anew in the middle. */
function slices(machine: Machine, settings: FlashSettings, seed: number): Slice[] {
  const random = randoms(seed);
  const found: Slice[] = [];
  let pc = machine.start();
  machine.hardware.flash.set(settings);
  let limit = 0;
  while (typeof pc === 'number') {
    limit += random.next().value % 40_000;
    if (limit >= CYCLES_MAX) break;
    if (found.length === 12) machine.hardware.flash.set({ ...settings, waitStates: settings.waitStates - 1 });
    if (found.length === 20) machine.hardware.flash.flush();
    const { stop, cycles, instructions, pc: next } = machine.resume(pc, { cyclesMax: limit });
    const registers = Array.from({ length: REGISTERS }, (_, number) => machine.cpu.readRegister(number));
    found.push({ cycles, instructions, pc: next, registers });
    if (stop !== 'limit') break;
    pc = next;
  }
  machine.close();
  return found;
}

function compare(board: Board, elf: Uint8Array, settings: FlashSettings, seed: number): void {
  const interpreted = slices(machineOf(board, elf, Infinity), settings, seed);
  const translated = slices(machineOf(board, elf, HOT_PASSES), settings, seed);
  expect(interpreted.at(-1)!.instructions).toBeGreaterThan(5_000);
  for (const [at, slice] of interpreted.entries()) expect(translated[at], `slice ${at}`).toEqual(slice);
  expect(translated.length).toBe(interpreted.length);
}

const withCompiler = describe.skipIf(!hasCompiler);

withCompiler.each(['nucleo-l4r5zi', 'stm32f4-discovery'])(
  'exact timing of %s, translated as interpreted (needs arm-none-eabi-gcc)',
  (name) => {
    const board = loadBoard(name);
    const files = readdirSync(FOLDER).map((file, index) => [file, index] as const);
    it.each(files)('%s', { timeout: 120_000 }, (file, index) => {
      const sources = { [file]: readFileSync(join(FOLDER, file), 'utf8') };
      const flags = [index % 2 === 0 ? '-O2' : '-Os'];
      const elf = buildProgram({ files: sources, newlib: true, flags, flashStart: FLASH });
      compare(board, elf, { ...usual, ...setUps[index % setUps.length] }, index + 1);
    });
  },
);

withCompiler.each(['nucleo-l4r5zi', 'stm32f4-discovery', 'nrf52840dk'])(
  'tables in flash of %s, in all set-ups (needs arm-none-eabi-gcc)',
  (name) => {
    const board = loadBoard(name);
    it.each(setUps.map((setUp, index) => [index, setUp] as const))('%i: %j', { timeout: 120_000 }, (index, setUp) => {
      const files = { 'streams.c': readFileSync(join(FOLDER, 'streams.c'), 'utf8') };
      const flashStart = name === 'nrf52840dk' ? 0 : FLASH;
      compare(
        board,
        buildProgram({ files, newlib: true, flags: ['-O3'], flashStart }),
        { ...usual, ...setUp },
        index + 1,
      );
    });
  },
);

withCompiler('exact timing of core-m3-stm32l1, translated as interpreted (needs arm-none-eabi-gcc)', () => {
  const board = loadBoard('core-m3-stm32l1');
  // Tables in flash: what they are read for keeps the port busy.
  it.each(['aes128.c', 'crc.c', 'sha256.c', 'jumps.c'])('%s', { timeout: 120_000 }, (file) => {
    const files = { [file]: readFileSync(join(FOLDER, file), 'utf8') };
    const elf = buildProgram({ files, newlib: true, flags: ['-O2'], cpu: cpuFlags(board) });
    compare(board, elf, usual, file.length);
  });
});

/** Taken in turn: what nRF52 can be set to, and what other boards with one cache for instructions might. */
const cachedFlash: FlashSettings = { ...usual, waitStates: 3, lineBits: 128, prefetch: false, dataCache: false };
const cachedSetUps: readonly Partial<FlashSettings>[] = [
  {},
  { instructionCache: false, waitStates: 2 },
  { prefetch: true },
];

withCompiler('exact timing of nrf52840dk, translated as interpreted (needs arm-none-eabi-gcc)', () => {
  const board = loadBoard('nrf52840dk');
  const files = readdirSync(FOLDER).map((file, index) => [file, index] as const);
  it.each(files)('%s', { timeout: 120_000 }, (file, index) => {
    const sources = { [file]: readFileSync(join(FOLDER, file), 'utf8') };
    const elf = buildProgram({ files: sources, newlib: true, flags: [index % 2 === 0 ? '-Os' : '-O2'], flashStart: 0 });
    compare(board, elf, { ...cachedFlash, ...cachedSetUps[index % cachedSetUps.length] }, index + 1);
  });
});

withCompiler('exact timing of nucleo-g0b1re, translated as interpreted (needs arm-none-eabi-gcc)', () => {
  const board = loadBoard('nucleo-g0b1re');
  it.each(m0plusPrograms.map((program, index) => [program.name, program.source, index] as const))(
    '%s',
    { timeout: 120_000 },
    (_, source, index) => {
      const stackTop = hex32(RAM + STACK_TOP);
      // Smaller matrices: the linker script has room for 16 KiB.
      const main = source.replace('0x20040000u', `${stackTop}u`).replaceAll('64', '32');
      const target = { machine: 'none', core: board.core, fpu: board.fpu, flash: FLASH, ram: RAM };
      const elf = buildFor(target, { 'main.c': main }, ['-DROUNDS=6']);
      for (const setUp of setUps.slice(0, 4))
        compare(board, elf, { ...usual, ...setUp, dataCache: false, waitStates: 2 }, index + 1);
    },
  );
});

describe('lines of data at hand', () => {
  it.each([
    [32, 8],
    [4, 8],
    [16, 16],
  ])('%d ways of %d bytes are a list of the last lines used in every set', (ways, lineBytes) => {
    const lines = new DataLines({ start: FLASH, bytes: 0x4000 }, 256);
    lines.shape(lineBytes, ways);
    lines.enable(true);
    const random = randoms(3);
    const sets = new Map<number, number[]>();
    const setCount = 256 / lineBytes / ways;
    for (let count = 0; count < 5000; count++) {
      const address = FLASH + ((random.next().value % 512) & -4);
      const line = Math.floor((address - FLASH) / lineBytes);
      const set = sets.get(line % setCount) ?? [];
      expect(lines.use(address)).toBe(set.includes(line));
      sets.set(line % setCount, [line, ...set.filter((other) => other !== line)].slice(0, ways));
      if (count % 700 === 0) lines.restore(lines.save());
      if (count % 1900 === 0) {
        lines.clear();
        sets.clear();
      }
    }
  });
});
