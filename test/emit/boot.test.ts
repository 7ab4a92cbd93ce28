/** Emitted firmware boots from reset on every built-in board: vectors, FPU, clock set-up, UART, the answer on zero input, then sleep. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardNames, loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { coreOf } from '../../emulator/cores/core.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine, RunResult } from '../../emulator/machine.ts';
import type { SourceTree } from '../../firmware-gen/emit/index.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { buildElf, findToolchain } from '../../firmware-gen/toolchain/index.ts';
import { tinyModel } from './tiny-model.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thumbelina-boot-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Enough for every boot here; less than a second of run time. */
const CYCLES_MAX = 5e7;

interface Boot {
  readonly result: RunResult;
  readonly uart: string;
  /** Counter at the end of every byte. */
  readonly byteCycles: readonly number[];
  readonly readyPasses: number;
  readonly machine: Machine;
}

async function boot(
  boardName: string,
  bare: boolean,
  change: (tree: Map<string, string>) => SourceTree = (tree) => tree,
): Promise<Boot> {
  const board = loadBoard(boardName);
  const schedule = lower(tinyModel(), { fuse: true, dsp: coreOf(board).dsp });
  const plan = planMemory(schedule);
  const tree = emitC(schedule, plan, { board, hooks: false, bare, modelSha256: '00', version: 'test' });
  const dir = mkdtempSync(join(folder, 'build-'));
  const image = await buildElf(change(new Map(tree)), dir, await findToolchain(), { board });
  let uart = '';
  const byteCycles: number[] = [];
  const machine: Machine = createMachine({
    board,
    image: image.elf,
    strict: true,
    onUartByte: (byte) => {
      uart += String.fromCharCode(byte);
      byteCycles.push(machine.cpu.counters().cycles);
    },
  });
  const hasReady = image.symbols.some((symbol) => symbol.name === 'tl_ready');
  if (hasReady) machine.onMark('tl_ready');
  const result = machine.run({ maxCycles: CYCLES_MAX });
  return { result, uart, byteCycles, readyPasses: hasReady ? machine.markPasses('tl_ready').length : 0, machine };
}

const hasCycleCounter = ({ core }: Board): boolean => !['cortex-m0', 'cortex-m0plus', 'cortex-m23'].includes(core);

describe('emitted firmware', () => {
  const expected = [...new Int8Array(createReference(tinyModel()).run([new Uint8Array(60)]).outputs[0]!)].join(' ');

  /** Every board with a UART: the exact ELF a real one is flashed with, its clock set-up included, and no register touched that is not modelled. */
  const talking = boardNames()
    .map(loadBoard)
    .filter(({ uart }) => uart !== null);
  for (const board of talking) {
    const { name } = board;
    it(`should introduce itself and give the right answer on the UART of ${name}`, async () => {
      const { result, uart, byteCycles, readyPasses, machine } = await boot(name, false);
      const clockHz = machine.hardware.clocks.coreHz();
      machine.close();
      expect(result).toMatchObject({ stop: 'idle', fault: null });
      expect(readyPasses).toBe(1);
      const lines = uart.trimEnd().split('\n');
      expect(lines[0]).toMatch(/^thumbelina: model tiny, arena \d+ bytes$/);
      if (hasCycleCounter(board)) expect(lines[1]).toMatch(/^cycles: [1-9]\d+ cold, [1-9]\d+ warm$/);
      expect(lines.slice(-2)).toEqual([`output 0: ${expected}`, 'ready']);
      expect(clockHz).toBe(board.clockHz);
      // 10 bits at 115200 baud, within what a receiver stands; the CMSDK model sends at once.
      if (board.uart?.kind === 'cmsdk-uart') return;
      const shortest = Math.min(...byteCycles.slice(1).map((cycles, index) => cycles - byteCycles[index]!));
      const ideal = (10 * clockHz) / 115200;
      expect(shortest).toBeGreaterThan(ideal * 0.98);
      expect(shortest).toBeLessThan(ideal * 1.02);
    });
  }

  for (const name of ['mps2-an386', 'nucleo-l4r5zi', 'core-m4']) {
    it(`should boot in silence with --bare on ${name}`, async () => {
      const { result, uart, readyPasses, machine } = await boot(name, true);
      const stackBytes = machine.stack.usedBytes();
      machine.close();
      expect(result).toMatchObject({ stop: 'idle', fault: null });
      expect({ uart, readyPasses }).toEqual({ uart: '', readyPasses: 1 });
      expect(stackBytes).toBeGreaterThan(0);
      expect(stackBytes).toBeLessThan(1024);
    });
  }

  it('should set up 120 MHz on nucleo-l4r5zi: PLL as system clock, boost mode, five wait states and caches', async () => {
    const probe = `#include "tl_runtime.h"
volatile uint32_t seen[4];
int main(void)
{
    seen[0] = TL_REGISTER(0x40021008U) & 0xFFU;  /* RCC_CFGR: HPRE, SWS, SW */
    seen[1] = TL_REGISTER(0x4002100CU);          /* RCC_PLLCFGR */
    seen[2] = TL_REGISTER(0x40007080U) & 0x100U; /* PWR_CR5: R1MODE */
    seen[3] = TL_REGISTER(0x40022000U) & 0x70FU; /* FLASH_ACR: caches, prefetch, latency */
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
    const { result, machine } = await boot('nucleo-l4r5zi', true, (tree) => tree.set('main.c', probe));
    const { address } = machine.symbol('seen');
    const seen = [0, 4, 8, 12].map((offset) => machine.readWord(address + offset));
    machine.close();
    expect(result.stop).toBe('idle');
    // SW = SWS = PLL, AHB undivided; MSI / 1 * 60 / 2 with output R on; boost; 5 wait states with everything on.
    expect(seen).toEqual([0x0f, 0x01003c01, 0, 0x705]);
  });

  it('should fault when the stack overflows, instead of eating the arena', async () => {
    const recurse = `#include "tl_runtime.h"
static uint8_t tl_arena[64];
TL_VISIBLE int32_t deeper(int32_t depth)
{
    volatile uint8_t frame[64];
    frame[0] = (uint8_t)depth;
    return depth > 1000000 ? 0 : deeper(depth + 1) + frame[0];
}
int main(void)
{
    tl_arena[0] = 1;
    return deeper(tl_arena[0]);
}
`;
    const { result, machine } = await boot('mps2-an386', true, (tree) => tree.set('main.c', recurse));
    machine.close();
    expect(result.stop).toBe('fault');
    expect(result.fault?.cause).toMatch(/0x1fff/);
  });
});
