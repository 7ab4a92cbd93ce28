/** Micro-programs whose cycles are known, as tests of one core. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { Machine } from '../../../emulator/machine.ts';
import { assembleFunctions, hasCompiler } from './assemble.ts';

export interface CycleCase {
  readonly body: string;
  readonly cycles: number;
  readonly args?: readonly number[];
}

/** What every program ends with, and its cycles. */
export interface CycleEnd {
  readonly body: string;
  readonly cycles: number;
}

/** @param title with the core's name @param board one with zero-wait memories */
export function describeCycles(
  title: string,
  board: string,
  cases: Readonly<Record<string, CycleCase>>,
  end: CycleEnd,
): void {
  describe.skipIf(!hasCompiler)(`${title} (needs arm-none-eabi-gcc)`, () => {
    const names = Object.keys(cases);
    let machine: Machine;
    beforeAll(() => {
      const bodies = Object.fromEntries(
        Object.values(cases).map(({ body }, index) => [`f${index}`, `${body}\n${end.body}`]),
      );
      machine = createMachine({ board: loadBoard(board), image: assembleFunctions(bodies), imageName: 'micro.elf' });
    });
    afterAll(() => {
      machine.close();
    });

    it.each(Object.entries(cases))('%s', (name, { args = [], cycles }) => {
      const result = machine.call(`f${names.indexOf(name)}`, args);
      expect(result.stop).toBe('return');
      expect(result.cycles).toBe(cycles + end.cycles);
    });
  });
}
