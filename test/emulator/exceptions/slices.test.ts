/** A run in slices of any length is the same run: interrupts, sleep and sleep on exit are cut off anywhere and go on as if they had not been. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { Machine, RunResult } from '../../../emulator/machine.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';
import { interruptedElf } from '../support/interrupted-program.ts';

/** After the first interrupt the thread sleeps for good; the tenth lets it run on. */
const sleepOnExit = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
volatile uint32_t ticks, woken;
void tick(void) { if (++ticks == 10) REG(0xe000ed10) = 0; }
extern void reset(void);
__attribute__((aligned(128))) void *const vectors[16] = {[0] = (void *)0x20040000, [1] = (void *)reset, [15] = (void *)tick};
int main(void) {
  REG(0xe000ed08) = (uint32_t)vectors;
  REG(0xe000e014) = 500;
  REG(0xe000e018) = 0;
  REG(0xe000ed10) = 2;
  REG(0xe000e010) = 7;
  __asm volatile("wfi");
  woken = ticks;
  REG(0xe000e010) = 0;
  for (;;) __asm volatile("wfi");
}`;

function machineFor(image: Uint8Array): Machine {
  return createMachine({ board: loadBoard('core-m4'), image, imageName: 'slices.elf' });
}

function inSlices(machine: Machine, cycles: number): RunResult {
  let pc = machine.start() as number;
  for (;;) {
    const result = machine.resume(pc, { cyclesMax: machine.cpu.counters().cycles + cycles });
    if (result.stop !== 'limit' && result.stop !== 'paused') return result;
    pc = result.pc;
  }
}

describe.skipIf(!hasCompiler)('slices (need arm-none-eabi-gcc)', () => {
  const sleeper = hasCompiler ? buildProgram({ files: { 'sleep.c': sleepOnExit } }) : new Uint8Array();

  it.each([
    ['interrupts', interruptedElf],
    ['sleep on exit', sleeper],
  ])('do not change a run: %s', (_, image) => {
    const whole = machineFor(image);
    const result = whole.run();
    for (const cycles of [1, 7, 96, 501]) {
      const sliced = machineFor(image);
      expect(inSlices(sliced, cycles)).toEqual(result);
      expect(sliced.readMemory(0x2000_0000, 256)).toEqual(whole.readMemory(0x2000_0000, 256));
      sliced.close();
    }
    whole.close();
  });

  it('sleep on exit runs no instruction of the thread before it ends', () => {
    const machine = machineFor(sleeper);
    inSlices(machine, 100);
    expect(machine.readWord(machine.symbol('woken').address)).toBe(10);
    machine.close();
  });
});
