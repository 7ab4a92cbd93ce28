/** The smaller units that start-up code and HALs of STM32 reach for: bit-band aliases, CRC, random numbers, id register. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { cpuFlags } from '../../firmware-gen/emit/build-flags.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const prelude = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
#define HALF(address) (*(volatile uint16_t *)(address))
volatile uint32_t seen[8];
volatile uint32_t flags;
`;

interface Ran {
  readonly machine: Machine;
  readonly seen: readonly number[];
  readonly notes: readonly string[];
}

function run(board: string, main: string, engine: EngineName = 'wasm', input = ''): Ran {
  const notes: string[] = [];
  const description = loadBoard(board);
  const machine = createMachine({
    board: description,
    image: buildProgram({
      files: { 'main.c': prelude + main },
      flashStart: 0x0800_0000,
      ramBytes: 0x2_0000,
      cpu: cpuFlags(description),
    }),
    engine,
    onNote: (text) => notes.push(text),
  });
  machine.serial.feed(new TextEncoder().encode(input));
  expect(machine.run({ maxCycles: 1e6 }).stop).toBe('idle');
  const { address } = machine.symbol('seen');
  return { machine, seen: Array.from({ length: 8 }, (_, index) => machine.readWord(address + 4 * index)), notes };
}

const END = 'for (;;) __asm volatile("wfi"); }';

describe.skipIf(!hasCompiler)('units of the STM32 (needs arm-none-eabi-gcc)', () => {
  it.each(['wasm', 'unicorn'] as const)(
    'bit-band aliases reach single bits of RAM and of registers, side effects included (%s)',
    (engine) => {
      const { seen, notes, machine } = run(
        'stm32f4-discovery',
        `int main(void) {
        flags = 0x80000001;
        volatile uint32_t *bits = (volatile uint32_t *)(0x22000000 + ((uint32_t)&flags - 0x20000000) * 32);
        seen[0] = bits[31]; seen[1] = bits[1];
        bits[4] = 1; bits[0] = 2; seen[2] = flags; /* only bit 0 of what is written counts */
        REG(0x42000000 + 0x23800 * 32 + 16 * 4) = 1; /* RCC_CR.HSEON */
        seen[3] = REG(0x40023800); seen[4] = REG(0x42000000 + 0x23800 * 32 + 17 * 4);
        REG(0x42000000 + 0x23800 * 32 + 16 * 4) = 0; seen[5] = REG(0x40023800);
        ${END}`,
        engine,
      );
      expect(seen.slice(0, 6)).toEqual([1, 0, 0x8000_0010, 0x3_0083, 1, 0x83]);
      expect(notes).toEqual([]);
      machine.close();
    },
  );

  it('a bit-band alias of RAM that is not there ends the run, and a core without aliases has none', () => {
    const program = (board: string) =>
      createMachine({
        board: loadBoard(board),
        image: buildProgram({
          files: { 'main.c': `${prelude}int main(void) { REG(0x23fffffc) = 1; ${END}` },
          flashStart: 0x0800_0000,
          ramBytes: 0x2_0000,
        }),
      });
    const aliased = program('stm32f4-discovery');
    expect(aliased.run({ maxCycles: 1e5 }).fault?.cause).toMatch(
      /the bit-band alias of 0x200ffffc is used, where no RAM is/,
    );
    aliased.close();
    const plain = program('nucleo-u575zi-q');
    expect(plain.run({ maxCycles: 1e5 }).stop).toBe('fault');
    plain.close();
  });

  it('CRC divides words, halfwords and bytes by the polynomial, reversed or not', () => {
    const { seen, machine } = run(
      'nucleo-l4r5zi',
      `#define CRC 0x40023000
      int main(void) {
        REG(0x40021048) |= 1 << 12;
        REG(CRC + 8) = 1; REG(CRC) = 0x12345678; REG(CRC) = 0x9abcdef0; seen[0] = REG(CRC);
        /* zlib: bytes and result reversed, result inverted */
        REG(CRC + 8) = 0xa1; for (int i = 0; i < 9; i++) BYTE(CRC) = "123456789"[i]; seen[1] = ~REG(CRC);
        /* CRC-16/CCITT-FALSE */
        REG(CRC + 0x10) = 0xffff; REG(CRC + 0x14) = 0x1021; REG(CRC + 8) = 0x08 | 1;
        for (int i = 0; i < 8; i += 2) HALF(CRC) = (uint16_t)("123456789"[i] << 8 | "123456789"[i + 1]);
        BYTE(CRC) = '9'; seen[2] = REG(CRC);
        ${END}`,
    );
    // The first by the formula in RM0432 16.3.3, the others are the check values of the Catalogue of parametrised CRC algorithms.
    expect(seen.slice(0, 3)).toEqual([0x7d24_a31b, 0xcbf4_3926, 0x29b1]);
    machine.close();
  });

  it('CRC of an STM32F4 has words, one polynomial and no reversal', () => {
    const { seen, notes, machine } = run(
      'stm32f4-discovery',
      `int main(void) {
        REG(0x40023830) |= 1 << 12;
        REG(0x40023008) = 0xa1; REG(0x40023000) = 0x12345678; REG(0x40023000) = 0x9abcdef0; seen[0] = REG(0x40023000);
        REG(0x40023014) = 7;
        ${END}`,
    );
    expect(seen[0]).toBe(0x7d24_a31b);
    expect(notes).toEqual(['write of CRC_POL at 0x40023014, which is not modelled']);
    machine.close();
  });

  it('RNG has nothing until it is on, then other numbers at every read, the same in every run', () => {
    const program = `#define RNG 0x50060800
      int main(void) {
        REG(0x4002104c) |= 1 << 18;
        seen[0] = REG(RNG + 4) | REG(RNG + 8);
        REG(RNG) = 4; while (!(REG(RNG + 4) & 1)) { }
        for (int i = 1; i < 4; i++) seen[i] = REG(RNG + 8);
        ${END}`;
    const [first, second] = [run('nucleo-l4r5zi', program), run('nucleo-l4r5zi', program)];
    expect(first.seen[0]).toBe(0);
    expect(new Set(first.seen.slice(0, 4)).size).toBe(4);
    expect(second.seen).toEqual(first.seen);
    for (const { machine } of [first, second]) machine.close();
  });

  it('FIFOs of a UART ask at their thresholds: four bytes received, all eight places free', () => {
    const { machine, seen: words } = run(
      'nucleo-l4r5zi',
      `#define UART 0x40008000
          void uart_handler(void) {
            uint32_t bytes = 0;
            for (int i = 0; i < 4; i++) bytes = bytes << 8 | (REG(UART + 0x24) & 0xff);
            seen[seen[7]++] = bytes; seen[6] = REG(UART + 0x1c) >> 26 & 1;
          }
          int main(void) {
            REG(0x40021058) |= 1 << 28; REG(0x4002105c) |= 1;
            static uint32_t table[128] __attribute__((aligned(512)));
            table[16 + 70] = (uint32_t)uart_handler; REG(0xe000ed08) = (uint32_t)table; REG(0xe000e108) = 1 << 6;
            REG(UART + 8) = 5u << 29 | 1 << 28 | 2 << 25; REG(UART + 12) = 256 * 35; REG(UART) = 1 << 29 | 0xd;
            seen[3] = REG(UART + 0x1c) >> 27 & 1;
            for (int i = 0; i < 8; i++) REG(UART + 0x28) = "12345678"[i];
            seen[4] = REG(UART + 0x1c) >> 27 & 1;
            while (!(REG(UART + 0x1c) >> 27 & 1)) { }
            seen[5] = REG(UART + 0x1c) >> 23 & 1;
            ${END}`,
      'wasm',
      'abcdefghijk',
    );
    expect(words).toEqual([0x6162_6364, 0x6566_6768, 0, 1, 0, 1, 0, 2]);
    machine.close();
  });

  it('with OVRDIS the newest character replaces the one that waits, without an overrun', () => {
    const { machine, seen } = run(
      'nucleo-l4r5zi',
      `int main(void) {
        REG(0x40021058) |= 1 << 28; REG(0x4002105c) |= 1;
        REG(0x40008008) = 1 << 12; REG(0x4000800c) = 256 * 35; REG(0x40008000) = 0xd;
        while (!(REG(0x4000801c) & 0x10)) { }
        seen[0] = REG(0x4000801c) & 8; seen[1] = REG(0x40008024);
        ${END}`,
      'wasm',
      'xyz',
    );
    expect(seen.slice(0, 2)).toEqual([0, 'z'.charCodeAt(0)]);
    machine.close();
  });

  it('an advanced timer has its compare events on a line of their own (TIM1 of the F4: 25 and 27)', () => {
    const { seen, machine } = run(
      'stm32f4-discovery',
      `int main(void) {
        REG(0x40023844) |= 1;
        REG(0x4001002c) = 999; REG(0x40010034) = 500; REG(0x4001000c) = 3; REG(0x40010010) = 0; REG(0x40010000) = 1;
        while (!(REG(0x40010010) & 2)) { }
        seen[0] = REG(0xe000e200); REG(0x40010010) = ~2u;
        while (!(REG(0x40010010) & 1)) { }
        seen[1] = REG(0xe000e200); REG(0x40010000) = 0; ${END}`,
    );
    // Both stay pending: nobody has taken them.
    expect(seen.slice(0, 2)).toEqual([1 << 27, (1 << 27) | (1 << 25)]);
    machine.close();
  });

  it.each([
    ['nucleo-l4r5zi', '0xe0042000', ''],
    ['disco-f746ng', '0xe0042000', ''],
    ['nucleo-h7a3zi-q', '0x5c001000', ''],
    ['nucleo-u575zi-q', '0xe0044000', ''],
    ['nucleo-g0b1re', '0x40015800', 'REG(0x4002103c) |= 1 << 27;'],
  ])('%s tells firmware which chip it is', (name, address, enable) => {
    const { seen, machine } = run(name, `int main(void) { ${enable} seen[0] = REG(${address}); ${END}`);
    const { mask, value } = loadBoard(name).chipId!;
    expect(seen[0]! & mask).toBe(value);
    machine.close();
  });
});
