/** Runs the same code on two engines and reports every difference in registers, memory, counters and stop. */
import type { Cpu } from '../../emulator/cpu/cpu.ts';
import { reg } from '../../emulator/cpu/cpu.ts';
import { fuzzCore } from './fuzz-cores.ts';
import { loadConstant, WINDOW_BYTES } from './random-code.ts';
import { randomDouble, randomSingle, randomWord, type Random } from './random.ts';

export const CODE = 0x0000_1000;
const RAM = 0x2000_0000;
const FLASH_BYTES = 0x1_0000;
const RAM_BYTES = 0x1_0000;
const ENDLESS_LOOP = 0xe7fe;
const XPSR_FLAGS = 0xf80f_0000;
export const Q = 1 << 27;

export interface Side {
  readonly cpu: Cpu;
  readonly flash: Uint8Array;
  readonly ram: Uint8Array;
}

export function makeSide(cpu: Cpu): Side {
  const flash = cpu.mapMemory({ start: 0, bytes: FLASH_BYTES, writable: false });
  const ram = cpu.mapMemory({ start: RAM, bytes: RAM_BYTES, writable: true });
  cpu.setFpuEnabled(true);
  return { cpu, flash, ram };
}

export interface Start {
  readonly registers: readonly number[];
  readonly singles: readonly number[];
  readonly xpsr: number;
  readonly fpscr: number;
  readonly memory: Uint8Array;
}

/**
 * Half of all starts have the FPSCR of a program that has been running: defaults and INEXACT.
 * @param fpscrMask which of the rounding mode, FZ, DN and AHP bits may be set; @param doubles whether the FPU's registers hold doubles
 */
export function randomStart(random: Random, fpscrMask: number, doubles: boolean, windowBytes = WINDOW_BYTES): Start {
  const asDoubles = doubles && random.below(4) !== 0;
  return {
    registers: Array.from({ length: 13 }, () => randomWord(random)),
    singles: asDoubles
      ? Array.from({ length: 16 }, () => randomDouble(random)).flat()
      : Array.from({ length: 32 }, () => randomSingle(random)),
    xpsr: ((random.bits32() & XPSR_FLAGS) | 0x0100_0000) >>> 0,
    fpscr: random.below(2) === 0 ? INEXACT : (random.bits32() & fpscrMask) >>> 0,
    memory: Uint8Array.from({ length: windowBytes }, () => random.below(256)),
  };
}

export interface Outcome {
  readonly stop: string;
  readonly pc: number;
  readonly cycles: number;
  readonly instructions: number;
  readonly registers: readonly number[];
  readonly flags: number;
  readonly fpscr: number;
  readonly singles: readonly number[];
  readonly memory: Uint8Array;
}

/** MSR APSR_nzcvqg, r0 and VMSR FPSCR, r0: libunicorn drops GE and the FPSCR modes when they are written from outside. */
const SET_APSR = 0xf380_8c00;
const SET_FPSCR = 0xeee1_0a10;
const INEXACT = 0x10;
const CLREX = 0xf3bf_8f2f;
/** B to the next instruction: what follows is a block of its own, which the translator gets whole. */
const BRANCH_NEXT = 0xe7ff;

function prelude({ fpscr, xpsr, registers }: Start): number[] {
  const load = (value: number): number[] => loadConstant(fuzzCore('cortex-m4'), 0, value);
  const wide = (word: number): number[] => [word >>> 16, word & 0xffff];
  return [wide(CLREX), load(fpscr), wide(SET_FPSCR), load(xpsr), wide(SET_APSR), load(registers[0]!)].flat();
}

/** Runs halfwords from CODE, after the prelude; an endless loop after them ends the run. */
export function runOn(side: Side, halfwords: readonly number[], start: Start, cyclesMax = 100_000): Outcome {
  const { cpu, flash, ram } = side;
  const code = new DataView(flash.buffer, flash.byteOffset + CODE);
  for (const [index, halfword] of [...prelude(start), BRANCH_NEXT, ...halfwords, ENDLESS_LOOP].entries())
    code.setUint16(index * 2, halfword, true);
  ram.set(start.memory);
  cpu.forgetCode();
  for (const [number, value] of start.registers.entries()) cpu.writeRegister(number, value);
  cpu.writeRegister(reg.control, 0);
  cpu.writeRegister(reg.sp, RAM + RAM_BYTES - 1024);
  cpu.writeRegister(reg.lr, 0xffff_ffff);
  cpu.writeRegister(reg.xpsr, start.xpsr);
  cpu.writeRegister(reg.fpscr, start.fpscr);
  for (const [number, value] of start.singles.entries()) cpu.writeRegister(reg.s0 + number, value);
  cpu.resetCounters();
  const stop = cpu.run(CODE, { cyclesMax });
  return {
    stop: stop.kind,
    pc: stop.pc,
    ...cpu.counters(),
    registers: Array.from({ length: 15 }, (_, number) => cpu.readRegister(number)),
    flags: (cpu.readRegister(reg.xpsr) & XPSR_FLAGS) >>> 0,
    fpscr: cpu.readRegister(reg.fpscr),
    singles: Array.from({ length: 32 }, (_, number) => cpu.readRegister(reg.s0 + number)),
    memory: ram.slice(0, WINDOW_BYTES),
  };
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** Names of what differs, `ours/theirs`. */
export function differences(ours: Outcome, theirs: Outcome, flagsMask = -1): string[] {
  const list: string[] = [];
  const compare = (name: string, a: number, b: number): void => {
    if (a !== b) list.push(`${name} ${hex(a)}/${hex(b)}`);
  };
  if (ours.stop !== theirs.stop) list.push(`stop ${ours.stop}/${theirs.stop}`);
  compare('pc', ours.pc, theirs.pc);
  compare('cycles', ours.cycles, theirs.cycles);
  compare('instructions', ours.instructions, theirs.instructions);
  ours.registers.forEach((value, number) => compare(`r${number}`, value, theirs.registers[number]!));
  compare('flags', ours.flags & flagsMask, theirs.flags & flagsMask);
  compare('fpscr', ours.fpscr, theirs.fpscr);
  ours.singles.forEach((value, number) => compare(`s${number}`, value, theirs.singles[number]!));
  const at = ours.memory.findIndex((byte, index) => byte !== theirs.memory[index]);
  if (at >= 0) list.push(`memory at +${at}`);
  return list;
}
