/** ITM stimulus ports and TPIU, set up by firmware as CMSIS and vendors' libraries do. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { simulate, type SimReport } from '../../emulator/sim.ts';
import { assembleFunctions, buildProgram, hasCompiler } from './support/assemble.ts';

const source = (setUp: string, body: string): string => `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define HALF(address) (*(volatile uint16_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
#define DEMCR REG(0xE000EDFC)
#define STIM(port) (0xE0000000 + 4 * (port))
#define TER REG(0xE0000E00)
#define TPR REG(0xE0000E40)
#define TCR REG(0xE0000E80)
#define LAR REG(0xE0000FB0)
#define LSR REG(0xE0000FB4)
static void put(const char *text) {
  for (; *text; text++) if ((TCR & 1) && (TER & 1)) { while (REG(STIM(0)) == 0) { } BYTE(STIM(0)) = (uint8_t)*text; }
}
static void hex(uint32_t word) {
  for (int shift = 28; shift >= 0; shift -= 4) { char text[2] = { "0123456789abcdef"[(word >> shift) & 15], 0 }; put(text); }
  put("\\n");
}
int main(void) {
  ${setUp}
  ${body}
  for (;;) __asm volatile("wfi");
}`;

const enable = `DEMCR |= 1 << 24; REG(0xE00400F0) = 2; REG(0xE0040010) = 79; REG(0xE0040304) = 0x100;
  LAR = 0xC5ACCE55; TCR = 0x1000D; TPR = 0; TER = 1;`;

describe.skipIf(!hasCompiler)('ITM (needs arm-none-eabi-gcc)', () => {
  const notes: string[] = [];
  let console = '';
  const run = (
    setUp: string,
    body: string,
    options: { board?: string; engine?: 'wasm' | 'unicorn' } = {},
  ): SimReport => {
    notes.length = 0;
    console = '';
    return simulate({
      board: loadBoard(options.board ?? 'core-m4'),
      firmware: buildProgram({ files: { 'main.c': source(setUp, body) } }),
      firmwareName: 'itm.elf',
      engine: options.engine ?? 'wasm',
      maxCycles: 1e6,
      onNote: (text) => notes.push(text),
      onConsole: (bytes, stream) => {
        console += stream + ':' + new TextDecoder().decode(bytes);
      },
    });
  };

  it.each(['wasm', 'unicorn'] as const)('port 0 goes to the console, a byte at a time, on %s', (engine) => {
    const report = run(enable, 'put("hello\\n");', { engine });
    expect(report).toMatchObject({ stop: 'idle', fault: null, itm: 'hello\n' });
    expect(console.replaceAll('stdout:', '')).toBe('hello\n');
    expect(notes).toEqual([]);
  });

  it('halfwords and words are sent with the low byte first', () => {
    const report = run(enable, 'REG(STIM(0)) = 0x64636261; HALF(STIM(0)) = 0x6665; BYTE(STIM(0)) = 0x67;');
    expect(report.itm).toBe('abcdefg');
  });

  it('registers read back as the manual has them', () => {
    const report = run(
      enable,
      `hex(TCR); hex(TER); hex(LSR); LAR = 0; hex(LSR); TER = 3; hex(TER); hex(REG(STIM(0))); hex(REG(STIM(1)));
       hex(REG(0xE0040000)); hex(REG(0xE00400F0)); hex(REG(0xE0040300)); hex(REG(0xE0040304)); hex(REG(0xE0040FC8));`,
    );
    const expected = [0x1000d, 1, 1, 3, 1, 1, 0, 0xb, 2, 8, 0x100, 0xca1];
    expect(report.itm.trim().split('\n')).toEqual(expected.map((word) => word.toString(16).padStart(8, '0')));
    expect(notes).toEqual([
      'the ITM is set up while it is locked, which does nothing; write 0xC5ACCE55 to ITM_LAR first',
    ]);
  });

  it.each([
    ['without TRCENA', 'LAR = 0xC5ACCE55; TCR = 1; TER = 1;', ['ITM is used while it is off; it needs DEMCR.TRCENA']],
    ['without ITMENA', 'DEMCR = 1 << 24; LAR = 0xC5ACCE55; TER = 1;', []],
    ['without the port enabled', 'DEMCR = 1 << 24; LAR = 0xC5ACCE55; TCR = 1;', []],
    [
      'while locked',
      'DEMCR = 1 << 24; TCR = 1; TER = 1;',
      ['the ITM is set up while it is locked, which does nothing; write 0xC5ACCE55 to ITM_LAR first'],
    ],
  ])('nothing is sent %s', (_, setUp, expected) => {
    expect(run(setUp, 'put("x"); BYTE(STIM(0)) = 65;').itm).toBe('');
    expect(notes).toEqual(expected);
  });

  it('other ports are noted with their number', () => {
    const report = run(
      `${enable} TER = 0x80000021;`,
      'REG(STIM(5)) = 1; put("a"); REG(STIM(5)) = 2; REG(STIM(31)) = 3;',
    );
    expect(report.itm).toBe('a');
    expect(notes).toEqual(
      [5, 31].map((port) => `data is sent to ITM stimulus port ${port}; only that of port 0 is shown`),
    );
  });

  it('unprivileged code has the ports that TPR leaves to it, and their enable bits', () => {
    const user = '__asm volatile("msr control, %0; isb" : : "r"(1));';
    expect(run(`${enable} ${user}`, 'put("user");').itm).toBe('user');
    expect(run(`${enable} TPR = 1; ${user}`, 'BYTE(STIM(0)) = 65; TER = 0xffff; TCR = 0;').itm).toBe('');
    // The bits of ports 8 to 31 can be set, that of port 0 stays, and TCR cannot be written.
    const body = 'TER = 0x100; TCR = 0; TPR = 0; REG(STIM(8)) = 1;';
    expect(run(`${enable} TPR = 1; ${user}`, body).itm).toBe('');
    expect(notes).toEqual(['data is sent to ITM stimulus port 8; only that of port 0 is shown']);
  });

  it('a write costs what a store costs', () => {
    const machine = createMachine({
      board: loadBoard('core-m4'),
      image: assembleFunctions({
        trace: 'str r1, [r0]; str r1, [r0]; bx lr',
      }),
      engine: 'wasm',
    });
    const ram = machine.call('trace', [machine.allocate(4), 1]).cycles;
    expect(machine.call('trace', [0xe000_0000, 1]).cycles).toBe(ram);
    machine.close();
  });

  it('a core without an ITM says that there is none', () => {
    notes.length = 0;
    const machine = createMachine({
      board: loadBoard('core-m0plus'),
      image: assembleFunctions({ trace: 'str r1, [r0]; bx lr' }),
      engine: 'wasm',
      onNote: (text) => notes.push(text),
    });
    expect(machine.call('trace', [0xe000_0000, 65])).toMatchObject({ stop: 'return' });
    expect(notes).toEqual(['write of an unmodelled register at 0xe0000000']);
    machine.close();
  });
});
