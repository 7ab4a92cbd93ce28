/** The memories of a Cortex-M7, cycle by cycle. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { FlashControl } from '../../emulator/peripherals/flash-control.ts';
import { coreOf } from '../../emulator/cores/core.ts';
import { decodeInstruction } from '../../emulator/timing/decode.ts';
import { REFILLED, SEQUENTIAL } from '../../emulator/timing/pipeline.ts';
import { L1Memory } from '../../emulator/timing/l1-memory.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const FLASH = 0x0800_0000;
const RAM = 0x2400_0000;
const TCM = 0x2000_0000;
const WAIT = 7;
const BUS = 6;
const MISS = BUS + WAIT + 1;

function memory(lineBits = 256, enables = { instructions: true, data: true }): L1Memory {
  const settings = { waitStates: WAIT, lineBits, prefetch: false, instructionCache: false, dataCache: false };
  return new L1Memory(
    {
      flash: { start: FLASH, bytes: 0x10_0000 },
      instructionCacheBytes: 4096,
      dataCacheBytes: 4096,
      tightlyCoupled: [{ start: TCM, bytes: 0x1_0000 }],
      bus: [{ start: RAM, bytes: 0x1_0000 }],
      busCycles: BUS,
    },
    new FlashControl(settings),
    () => enables,
  );
}

describe('memories of a Cortex-M7', () => {
  it('tightly coupled ones and devices add nothing', () => {
    const m = memory();
    expect([m.fetch(TCM, 4, 0), m.access(TCM, true, 0), m.access(0x4000_0000, true, 0)]).toEqual([0, 0, 0]);
  });

  it('a load that misses waits for its double word, the line is there after the bus has moved it', () => {
    const m = memory();
    expect(m.access(FLASH + 8, true, 100)).toBe(MISS);
    // The third beat after the first is the line's beginning.
    expect(m.access(FLASH, true, 100 + MISS + 1)).toBe(2);
    expect(m.access(FLASH + 16, true, 100 + MISS + 1)).toBe(0);
    expect(m.access(FLASH + 32, true, 1000)).toBe(MISS);
  });

  it('flash of 128 bits is read twice for a line', () => {
    const m = memory(128);
    expect(m.access(FLASH, true, 100)).toBe(MISS);
    // Two beats of the first read, then another.
    expect(m.access(FLASH + 16, true, 100 + MISS)).toBe(1 + WAIT + 1);
  });

  it('RAM on the bus costs the way there; stores cost nothing and bring their line', () => {
    const m = memory();
    expect(m.access(RAM, false, 0)).toBe(0);
    expect(m.access(RAM + 4, true, 50)).toBe(0);
    expect(m.access(RAM + 64, true, 100)).toBe(BUS + 1);
  });

  it('gives up the least recently used of four ways', () => {
    const m = memory();
    const lines = [0, 1, 2, 3, 4].map((way) => RAM + way * 1024);
    for (const [i, address] of lines.entries()) m.access(address, true, i * 100);
    expect(m.access(lines[0]!, true, 1000)).toBe(BUS + 1);
    expect(m.access(lines[4]!, true, 2000)).toBe(0);
  });

  it('without caches every load pays the whole way, instructions every double word', () => {
    const m = memory(256, { instructions: false, data: false });
    expect([m.access(FLASH, true, 0), m.access(FLASH, true, 100), m.access(RAM, false, 200)]).toEqual([MISS, MISS, 0]);
    expect([m.fetch(FLASH, 4, 1000), m.fetch(FLASH + 4, 4, 1020)]).toEqual([MISS, 0]);
  });

  it('a branch waits for its target, a straight line is asked for four double words ahead', () => {
    const m = memory();
    expect(m.fetch(FLASH + 24, 4, 100)).toBe(MISS);
    // Asked for with the branch at the latest; the flash was busy until then.
    const next = m.fetch(FLASH + 28, 4, 100 + MISS + 1);
    expect(next).toBe(0);
    expect(m.fetch(FLASH + 32, 4, 100 + MISS + 2)).toBeLessThan(MISS);
    expect(m.fetch(FLASH + 24, 4, 1000)).toBe(0);
  });

  it('is as before after restore()', () => {
    const m = memory();
    m.access(RAM, true, 0);
    const state = structuredClone(m.save());
    for (let way = 1; way <= 4; way++) m.access(RAM + way * 1024, true, way * 100);
    m.restore(state);
    expect(m.access(RAM, true, 1000)).toBe(0);
  });
});

describe.skipIf(!hasCompiler)('a Cortex-M7 board (needs arm-none-eabi-gcc)', () => {
  const source = `
volatile unsigned *const ccr = (unsigned *)0xE000ED14;
const int table[64] = {1, 2, 3, 4, 5};
int sum(void) { int s = 0; for (int k = 0; k < 4; k++) for (int i = 0; i < 64; i++) s += ((volatile const int *)table)[i]; return s; }
int caches(void) { *ccr |= 3u << 16; return (*ccr >> 16) & 3; }
int main(void) { return 0; }`;

  it.each(['disco-f746ng', 'nucleo-h7a3zi-q'])('%s is faster with its caches on', (name) => {
    const board = loadBoard(name);
    const [flash, ram] = [board.memory[0]!, board.memory.find(({ kind }) => kind === 'ram')!];
    const machine = createMachine({
      board,
      image: buildProgram({
        files: { 'main.c': source },
        flags: ['-O2'],
        flashStart: flash.start,
        ramStart: ram.start,
      }),
      timing: 'exact',
    });
    // As a board's clock set-up leaves it.
    machine.hardware.flash.set({ ...machine.hardware.flash.settings, waitStates: WAIT });
    const cold = machine.call('sum').cycles;
    expect(machine.call('caches').value).toBe(3);
    machine.call('sum');
    const warm = machine.call('sum').cycles;
    expect(warm * 5).toBeLessThan(cold);
    expect(warm).toBeGreaterThan(4 * 64);
    machine.close();
  });
});

it('tells the pipeline banks, so that loads of different ones pair whatever their base registers', () => {
  const core = coreOf({ core: 'cortex-m7', fpu: 'fpv5-d16' });
  const { pipeline } = core;
  // ldr r2, [r0]; ldr r3, [r1]
  const [first, second] = [0x6802, 0x680b].map((code, index) => decodeInstruction(() => code, 8 + 2 * index, 0, core));
  const bank = (address: number): number => memory().slaveOf(address);
  const after = pipeline.step(REFILLED, first!, { ...SEQUENTIAL, slave: bank(RAM) });
  const cycles = [RAM + 4, FLASH + 12, RAM + 8].map(
    (address) => pipeline.step(after.next, second!, { ...SEQUENTIAL, slave: bank(address) }).cycles,
  );
  expect([after.cycles, ...cycles]).toEqual([1, 0, 0, 1]);
});
