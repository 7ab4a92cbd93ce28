/**
 * Result, flags, cycles and instructions of micro-programs, one or more for every class of the timing table. Cycles are written out as
 * the sum of the table's numbers; every function ends with `bx lr`, a taken branch of 3.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { reg } from '../../emulator/cpu/cpu.ts';
import type { Machine } from '../../emulator/machine.ts';
import { cortexM4, divideCycles } from '../../emulator/timing/cortex-m4.ts';
import { loadAddon } from '../../emulator/cpu/unicorn/addon.ts';
import { assembleFunctions, hasCompiler } from './support/assemble.ts';
import { microPrograms, RAM } from './support/micro-programs.ts';

const BX = 3;

describe.skipIf(!hasCompiler)('cycles of micro-programs (needs arm-none-eabi-gcc)', () => {
  let machine: Machine;
  beforeAll(() => {
    const bodies = Object.fromEntries(
      Object.entries(microPrograms).map(([name, { body }]) => [name, `${body}\nbx lr`]),
    );
    machine = createMachine({ board: loadBoard('core-m4'), image: assembleFunctions(bodies), imageName: 'micro.elf' });
  });
  afterAll(() => {
    machine.close();
  });

  it.each(Object.entries(microPrograms))('%s', (name, { args = [], value, cycles, instructions, flags }) => {
    const words = new DataView(new ArrayBuffer(20));
    for (const [i, word] of [0x1122_3344, 0x5566_7788, 0x99aa_bbcc, 0xddee_ff00, RAM].entries())
      words.setUint32(i * 4, word, true);
    machine.writeMemory(RAM, new Uint8Array(words.buffer));
    const result = machine.call(name, args);
    expect(result.fault).toBeNull();
    expect(result.stop).toBe('return');
    if (value !== undefined) expect(result.value).toBe(value | 0);
    expect({ cycles: result.cycles, instructions: result.instructions }).toEqual({
      cycles: cycles + BX,
      instructions: instructions + 1,
    });
    if (flags !== undefined) {
      const xpsr = machine.cpu.readRegister(reg.xpsr);
      expect([...'NZCVQ'].map((flag, bit) => (((xpsr >>> (31 - bit)) & 1) === 1 ? flag : '.')).join('')).toBe(flags);
    }
  });

  it('returns to the caller with pc at the return address', () => {
    expect(machine.call('adds', [1, 2]).pc).toBe(0xdead_bee0);
  });
});

describe('the timing table', () => {
  it('gives every number a source and a confidence', () => {
    for (const [name, cost] of Object.entries(cortexM4)) {
      expect(cost.source.length, name).toBeGreaterThan(10);
      expect(['documented', 'measured', 'assumed'], name).toContain(cost.confidence);
    }
  });

  it('computes divides natively and in TypeScript alike', () => {
    const addon = loadAddon();
    const values = [0, 1, 2, 3, 7, 255, 256, 65535, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff0, 0xffff_ffff];
    for (let i = 0; i < 32; i++) values.push((1 << i) >>> 0, ((1 << i) + 1) >>> 0, ((1 << i) - 1) >>> 0);
    const wrong: string[] = [];
    for (const n of values) {
      for (const d of values) {
        for (const signed of [false, true]) {
          const cycles = divideCycles(n, d, signed);
          const native = addon.divideCycles(n, d, signed);
          if (native !== cycles || cycles < 2 || cycles > 12) wrong.push(`${n} / ${d}: ${cycles}, native ${native}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
