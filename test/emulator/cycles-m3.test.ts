/** What Cortex-M3 takes other cycles for than M4, and flash whose one port serves instructions and data. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { movedElf } from '../../harness/validate/move-elf.ts';
import { assembleFunctions, hasCompiler } from './support/assemble.ts';
import { describeCycles, type CycleCase } from './support/cycle-cases.ts';

/** 1 and a refill of 2. */
const END = { body: 'bx lr', cycles: 3 };
const RAM = 0x2000_1000;

const cases: Readonly<Record<string, CycleCase>> = {
  'LDM of two, three, four words: one more than words': {
    body: 'ldmia.w r0, {r1, r2}; ldmia.w r0, {r1-r3}; ldmia.w r0, {r1-r3, r12}',
    args: [RAM],
    cycles: 3 + 4 + 5,
  },
  'LDM that writes its base back': { body: 'ldmia.w r0!, {r1, r2}; ldmia.w r0!, {r1, r2}', args: [RAM], cycles: 3 + 3 },
  'LDRD, one after the other': { body: 'ldrd r1, r2, [r0]; ldrd r1, r2, [r0, #8]', args: [RAM], cycles: 3 + 3 },
  'LDM behind a load': { body: 'ldr.w r3, [r0]; ldmia.w r0, {r1, r2}', args: [RAM], cycles: 2 + 3 },
  'multiply and accumulate': { body: 'mul r1, r0, r0; mla r1, r0, r0, r1', args: [2], cycles: 1 + 2 },
};

describeCycles('cycles of micro-programs on Cortex-M3', 'core-m3', cases, END);

describe.skipIf(!hasCompiler)('flash with one port (needs arm-none-eabi-gcc)', () => {
  const FLASH = 0x100;
  /** Every word is an instruction; the loads begin in cycles 1 to 4, what follows them waits for the last one's data. */
  const body = (loads: number): string =>
    `.balign 8; ${'add.w r1, r1, #1;'.repeat(8)} b.w 1f; .balign 8; 1: add.w r1, r1, #1; ` +
    `${'ldr.w r2, [r0];'.repeat(loads)} ${'add.w r1, r1, #1;'.repeat(8)} bx lr`;

  function cycles(board: string, loads: number, address: number, placement = 0): number | null {
    const elf = movedElf(assembleFunctions({ f: body(loads) }), placement);
    const machine = createMachine({ board: loadBoard(board), image: elf, imageName: 'f.elf', timing: 'exact' });
    try {
      return machine.call('f', [address]).cycles;
    } finally {
      machine.close();
    }
  }

  it('reads the next line only after four loads, so that its first word comes a cycle late', () => {
    // The line with words 6 and 7 behind the branch is wanted from cycle 1 on and read in 5; word 6 executes in 8, not 7.
    expect(cycles('core-m3-stm32l1', 4, FLASH)).toBe(cycles('core-m3', 4, FLASH)! + 1);
  });

  it('has time for it when lines end elsewhere, data lies in RAM or loads are fewer', () => {
    expect(cycles('core-m3-stm32l1', 4, FLASH, 4)).toBe(cycles('core-m3', 4, FLASH, 4));
    expect(cycles('core-m3-stm32l1', 4, RAM)).toBe(cycles('core-m3', 4, RAM));
    expect(cycles('core-m3-stm32l1', 3, FLASH)).toBe(cycles('core-m3', 3, FLASH));
  });
});
