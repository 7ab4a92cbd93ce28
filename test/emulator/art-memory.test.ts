/** The flash accelerator's model, cycle by cycle: what RM0432 3.3.4 and 3.3.5 say of reads with wait states, prefetch and caches. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { FlashControl, type FlashSettings } from '../../emulator/peripherals/flash-control.ts';
import { ArtMemory } from '../../emulator/timing/art-memory.ts';

const FLASH = 0x0800_0000;
const WAIT = 5;
const on: FlashSettings = { waitStates: WAIT, lineBits: 64, prefetch: true, instructionCache: true, dataCache: true };

function memory(settings: Partial<FlashSettings> = {}): ArtMemory {
  return new ArtMemory(
    {
      start: FLASH,
      bytes: 0x20_0000,
      instructionCacheBytes: 1024,
      instructionCacheWays: 4,
      dataCacheBytes: 256,
      dataCacheWays: 32,
      slaves: [{ start: 0x2000_0000, bytes: 0x3_0000 }],
    },
    new FlashControl({ ...on, ...settings }),
  );
}

let clock = 0;
/** Extra cycles of reads in a row, each long after the one before it. */
const reads = (art: ArtMemory, addresses: readonly number[]): number[] =>
  addresses.map((address) => art.access(address, true, (clock += 1000)));

describe('the flash accelerator', () => {
  it('adds the wait states to the first instruction of a line that is in no cache, and nothing to the others', () => {
    const art = memory({ prefetch: false });
    expect(art.fetch(FLASH, 4, 0)).toBe(WAIT);
    expect(art.fetch(FLASH + 4, 4, 10)).toBe(0);
    expect(art.fetch(FLASH + 8, 4, 20)).toBe(WAIT);
    expect(art.fetch(FLASH, 4, 30)).toBe(0);
  });

  it('has the next line sooner when it is prefetched', () => {
    const art = memory();
    expect(art.fetch(FLASH, 8, 0)).toBe(WAIT);
    // Its read began a cycle after the first line was there, at 6, and ends at 11.
    expect(art.fetch(FLASH + 8, 8, 7)).toBe(4);
    expect(art.fetch(FLASH + 16, 4, 1000)).toBe(0);
  });

  it('prefetches behind a line that was in the cache, too', () => {
    const art = memory();
    art.fetch(FLASH, 8, 0);
    expect(art.fetch(FLASH + 512, 8, 100)).toBe(WAIT);
    expect(art.fetch(FLASH, 8, 200)).toBe(0);
    expect(art.fetch(FLASH + 8, 8, 300)).toBe(0);
  });

  it('lets a prefetch give way to what the core asks for', () => {
    const art = memory();
    art.fetch(FLASH, 8, 0);
    // The prefetch runs from 6 to 11.
    expect(art.fetch(FLASH + 1024, 8, 7)).toBe(WAIT);
    expect(art.access(FLASH + 4096, true, 14)).toBe(WAIT);
    // The one behind the target began at 13, and again at 20.
    expect(art.fetch(FLASH + 1032, 8, 20)).toBe(5);
  });

  it('counts an instruction across two lines as both', () => {
    const art = memory({ prefetch: false });
    expect(art.fetch(FLASH + 6, 4, 0)).toBe(WAIT + 1 + WAIT);
  });

  it('keeps 1 KiB of code: a loop as long as that misses only once, a longer one in every turn', () => {
    for (const [lines, misses] of [
      [128, 0],
      [160, 160],
    ] as const) {
      const art = memory({ prefetch: false });
      const turn = (): number => {
        let sum = 0;
        for (let i = 0; i < lines; i++) sum += art.fetch(FLASH + i * 8, 8, (clock += 100));
        return sum;
      };
      expect(turn()).toBe(lines * WAIT);
      expect(turn()).toBe(misses * WAIT);
    }
  });

  it('keeps 32 lines of data, the least recently used goes first', () => {
    const art = memory();
    const lines = Array.from({ length: 32 }, (_, i) => FLASH + 0x1000 + i * 8);
    expect(reads(art, lines)).toEqual(lines.map(() => WAIT));
    expect(reads(art, lines)).toEqual(lines.map(() => 0));
    expect(reads(art, [FLASH + 0x2000, lines[0]!, lines[31]!])).toEqual([WAIT, WAIT, 0]);
  });

  it('keeps 64 lines of code and 8 of data on an STM32F407 (RM0090 3.2)', () => {
    const { timing } = loadBoard('stm32f4-discovery');
    const art = new ArtMemory(
      { ...timing.art!, start: FLASH, bytes: 0x10_0000 },
      new FlashControl({ ...on, lineBits: 128, prefetch: false }),
    );
    const code = (lines: number): number => {
      let sum = 0;
      for (let i = 0; i < lines; i++) sum += art.fetch(FLASH + i * 16, 4, (clock += 100));
      return sum;
    };
    expect([code(64), code(64), code(65), code(65)]).toEqual([64 * WAIT, 0, WAIT, 65 * WAIT]);
    const table = Array.from({ length: 8 }, (_, i) => FLASH + 0x1000 + i * 16);
    expect(reads(art, [...table, ...table])).toEqual([...table.map(() => WAIT), ...table.map(() => 0)]);
    expect(reads(art, [FLASH + 0x2000, table[0]!])).toEqual([WAIT, WAIT]);
    expect([0x2001_bfff, 0x2001_c000, 0x1000_0000].map((address) => art.slaveOf(address))).toEqual([2, 3, 4]);
  });

  it('lets data wait while an instruction is read: the flash has one port', () => {
    const art = memory({ prefetch: false });
    art.fetch(FLASH, 4, 0);
    expect(art.access(FLASH + 0x1000, true, 2)).toBe(6 - 2 + WAIT);
  });

  it('adds nothing without wait states, in RAM, and for stores', () => {
    const art = memory({ waitStates: 0 });
    expect([art.fetch(FLASH, 4, 0), art.access(FLASH + 64, true, 0)]).toEqual([0, 0]);
    expect([memory().fetch(0x2000_0000, 4, 0), memory().access(0x2000_0000, true, 0)]).toEqual([0, 0]);
    expect(memory().access(FLASH, false, 0)).toBe(0);
  });

  it('is empty after the firmware has emptied it, and as before after restore()', () => {
    const control = new FlashControl(on);
    const art = new ArtMemory(
      {
        start: FLASH,
        bytes: 4096,
        instructionCacheBytes: 1024,
        instructionCacheWays: 4,
        dataCacheBytes: 256,
        dataCacheWays: 32,
        slaves: [],
      },
      control,
    );
    reads(art, [FLASH, FLASH + 8]);
    const state = art.save();
    control.flush();
    expect(reads(art, [FLASH])).toEqual([WAIT]);
    art.restore(state);
    art.countersReset();
    expect(reads(art, [FLASH + 8])).toEqual([0]);
  });

  it('tells memories apart by their ports', () => {
    const art = memory();
    expect([FLASH, 0x2000_0000, 0x2003_0000, 0x4000_0000].map((address) => art.slaveOf(address))).toEqual([1, 2, 0, 0]);
  });
});
