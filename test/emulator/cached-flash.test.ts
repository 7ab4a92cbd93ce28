/** One cache in front of slow flash, cycle by cycle, and what the registers of its chips make of it. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { FlashControl, type FlashSettings } from '../../emulator/peripherals/flash-control.ts';
import { CachedFlash } from '../../emulator/timing/cached-flash.ts';

const FLASH = 0x1000_0000;
const WAIT = 4;
const on: FlashSettings = { waitStates: WAIT, lineBits: 128, prefetch: false, instructionCache: true, dataCache: true };

function memory(settings: Partial<FlashSettings> = {}, sharedBus = false): CachedFlash {
  return new CachedFlash(
    {
      start: FLASH,
      bytes: 0x20_0000,
      cacheBytes: 1024,
      ways: 2,
      lineBytes: 64,
      sharedBus,
      slaves: [{ start: 0x2000_0000, bytes: 0x1000 }],
    },
    new FlashControl({ ...on, ...settings }),
  );
}

let clock = 0;
const read = (flash: CachedFlash, address: number): number => flash.access(address, true, (clock += 1000));
const fetch = (flash: CachedFlash, address: number): number => flash.fetch(address, 2, (clock += 1000));

describe('flash behind one cache', () => {
  it('fills a line piece by piece, for instructions and data alike', () => {
    const flash = memory();
    expect(fetch(flash, FLASH)).toBe(WAIT);
    expect(read(flash, FLASH + 12)).toBe(0);
    expect(read(flash, FLASH + 16)).toBe(WAIT);
    expect(fetch(flash, FLASH + 18)).toBe(0);
    expect(fetch(flash, FLASH + 32)).toBe(WAIT);
  });

  it('gives up a whole line, the least recently used of its set', () => {
    const flash = memory();
    const [a, b, c] = [0, 512, 1024].map((offset) => FLASH + offset);
    for (const address of [a!, a! + 16, b!, a!, c!]) read(flash, address);
    // a and c are left of the set's two ways.
    expect([a!, a! + 16, c!].map((address) => read(flash, address))).toEqual([0, 0, 0]);
    expect(read(flash, b!)).toBe(WAIT);
  });

  it('serves instructions alone where data is not cached: data has only the piece it read last', () => {
    const flash = memory({ dataCache: false });
    fetch(flash, FLASH);
    expect([FLASH, FLASH + 4, FLASH + 16, FLASH].map((address) => read(flash, address))).toEqual([WAIT, 0, WAIT, WAIT]);
  });

  it('reads ahead in a straight line, and gives way to what is asked for', () => {
    const flash = memory({ prefetch: true });
    expect(flash.fetch(FLASH + 12, 4, 0)).toBe(WAIT);
    // Read from 5 on, there at 9.
    expect(flash.fetch(FLASH + 16, 4, 7)).toBe(2);
    expect(flash.access(FLASH + 0x1000, true, 10)).toBe(WAIT);
    // That read ended at 14; the one ahead began again at 15.
    expect(flash.fetch(FLASH + 20, 12, 16)).toBe(0);
    expect(flash.fetch(FLASH + 32, 4, 17)).toBe(2);
  });

  it('adds nothing in RAM, for stores and without wait states; tells memories apart', () => {
    const flash = memory();
    expect([flash.fetch(0x2000_0000, 4, 0), flash.access(0x2000_0000, true, 0), flash.access(FLASH, false, 0)]).toEqual(
      [0, 0, 0],
    );
    const fast = memory({ waitStates: 0 });
    expect([fetch(fast, FLASH), read(fast, FLASH + 64)]).toEqual([0, 0]);
    expect([FLASH, 0x2000_0000, 0x2000_1000].map((address) => flash.slaveOf(address))).toEqual([1, 2, 0]);
  });

  it('a load takes a fetch from the bus they share, which short instructions have to spare', () => {
    const run = (bytes: number, load: boolean): number => {
      const flash = memory({}, true);
      // Everything is in the cache, and reached by a branch.
      for (const address of [FLASH, FLASH + 16, FLASH + 32, FLASH + 48]) flash.fetch(address, 2, 0);
      let now = 1000;
      for (let address = FLASH; address < FLASH + 10 * bytes; address += bytes) {
        now += flash.fetch(address, bytes, now) + 1;
        if (load && address === FLASH + 5 * bytes) flash.access(FLASH, true, now);
      }
      return now - 1000;
    };
    expect([run(4, false), run(4, true), run(2, true)]).toEqual([10, 11, 10]);
  });

  it('is as before after restore()', () => {
    const flash = memory();
    for (const address of [FLASH, FLASH + 512, FLASH + 16]) read(flash, address);
    const state = structuredClone(flash.save());
    for (const address of [FLASH + 1024, FLASH + 1536]) read(flash, address);
    flash.restore(state);
    expect([FLASH, FLASH + 512, FLASH + 16].map((address) => read(flash, address))).toEqual([0, 0, 0]);
  });
});

describe('the registers of', () => {
  /** A vector table and nothing else: the registers are written from outside. */
  function settingsAfter(name: string, writes: readonly [number, number][]): FlashSettings {
    const board = loadBoard(name);
    const { start } = board.memory.find(({ kind }) => kind === 'flash')!;
    const table = board.vectorTable ?? start;
    const image = new Uint8Array(table - start + 64);
    new DataView(image.buffer).setUint32(table - start, 0x2000_1000, true);
    new DataView(image.buffer).setUint32(table - start + 4, table + 32 + 1, true);
    const machine = createMachine({ board, image, imageName: 'vectors.bin' });
    try {
      for (const [address, value] of writes) machine.hardware.bus.write(address, 4, value);
      return machine.hardware.flash.settings;
    } finally {
      machine.close();
    }
  }

  it('an RP2040 give the serial clocks of a word: ours after reset, quad reads where firmware sets them up', () => {
    expect(settingsAfter('rpi-pico', [])).toMatchObject({ waitStates: (8 + 24 + 32) * 4, lineBits: 32 });
    const SSI = 0x1800_0000;
    // Quad I/O without a command: 32 address and mode bits and 32 data bits on four lines, 4 wait cycles, half the clock.
    const quad: [number, number][] = [
      [SSI + 0x00, 0x005f_0300],
      [SSI + 0x14, 2],
      [SSI + 0xf4, (4 << 11) | (8 << 2) | 2],
    ];
    expect(settingsAfter('rpi-pico', quad)).toMatchObject({ waitStates: (8 + 4 + 8) * 2 });
  });

  it('an nRF52840 cost a cycle more for a miss than for flash without the cache', () => {
    expect(settingsAfter('nrf52840dk', [])).toMatchObject({ waitStates: 2, instructionCache: false });
    expect(settingsAfter('nrf52840dk', [[0x4001_e540, 1]])).toMatchObject({
      waitStates: 3,
      instructionCache: true,
      dataCache: false,
    });
  });

  it('an STM32U575 put constants into the cache of the code bus as well', () => {
    const [acr, icache] = [0x4002_2000, 0x4003_0400];
    expect(settingsAfter('nucleo-u575zi-q', [[acr, 0x104]])).toMatchObject({ waitStates: 4, dataCache: false });
    for (const writes of [
      [
        [acr, 0x104],
        [icache, 5],
      ],
      [
        [icache, 5],
        [acr, 0x104],
      ],
    ] as [number, number][][])
      expect(settingsAfter('nucleo-u575zi-q', writes)).toEqual({
        waitStates: 4,
        lineBits: 128,
        prefetch: true,
        instructionCache: true,
        dataCache: true,
      });
  });
});
