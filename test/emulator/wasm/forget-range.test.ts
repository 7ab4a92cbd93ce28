/** Code that was changed in place: only what was made of the changed bytes is made anew, and it always is. */
import { expect, it, describe } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { parseElf } from '../../../emulator/elf.ts';
import { Machine } from '../../../emulator/machine.ts';
import { SerialLine } from '../../../emulator/peripherals/serial-line.ts';
import { assembleFunctions, hasCompiler } from '../support/assemble.ts';
import { cortexM4F } from '../support/cores.ts';

const LOOPS = 200;
const bodies = {
  spin: '1: adds r0, #1; subs r1, #1; bne 1b; bx lr',
  other: '1: adds r0, #5; subs r1, #1; bne 1b; bx lr',
};

describe.skipIf(!hasCompiler)('code changed in flash (needs arm-none-eabi-gcc)', () => {
  it.each([
    ['translated', 4],
    ['interpreted', Infinity],
  ])('runs as it is now, %s', (_, hotPasses) => {
    const machine = new Machine({
      cpu: new WasmCpu(cortexM4F, hotPasses),
      board: loadBoard('core-m4'),
      image: parseElf(assembleFunctions(bodies), 'forget.elf'),
      serial: new SerialLine(null),
      stopHandlers: [],
      strict: false,
      onNote: () => undefined,
    });
    const run = (name: string): number => {
      machine.call(name, [0, LOOPS]);
      return machine.cpu.readRegister(0);
    };
    const start = machine.symbol('spin').address & ~1;
    expect([run('spin'), run('other')]).toEqual([LOOPS, 5 * LOOPS]);
    // The low byte of ADDS Rdn, #imm8 is the immediate.
    machine.writeMemory(start, Uint8Array.of(3));
    machine.cpu.forgetCode({ start, bytes: 1 });
    expect([run('spin'), run('other')]).toEqual([3 * LOOPS, 5 * LOOPS]);
    // A byte of nothing that ran: all stays.
    machine.cpu.forgetCode({ start: start + 0x1000, bytes: 4 });
    machine.writeMemory(start, Uint8Array.of(1));
    machine.cpu.forgetCode({ start, bytes: 1 });
    expect([run('spin'), run('other')]).toEqual([LOOPS, 5 * LOOPS]);
  });
});
