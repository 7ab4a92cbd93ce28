/** ELF, Intel HEX and raw binaries: what loads, where it goes, and one clear line for everything that does not. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { UserError } from '../../common/errors.ts';
import { createMachine, loadImage } from '../../emulator/create-machine.ts';
import { isElf, parseElf } from '../../emulator/elf.ts';
import { parseIntelHex } from '../../emulator/hex.ts';
import { binaryImage, checkSegments, SymbolTable } from '../../emulator/image.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const board = loadBoard('core-m4');

const source = `
int initialised = 0x11223344; int zeroed[100]; const int constant = 7; static int hidden = 5;
int get(int i) { return zeroed[i] + initialised + constant; }
int next(void) { return hidden++; }
int main(void) { for (;;) __asm volatile("wfi"); }`;

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).not.toContain('\n');
    return (error as UserError).message;
  }
  return 'no error';
};

describe.skipIf(!hasCompiler)('ELF (needs arm-none-eabi-gcc)', () => {
  const elf = hasCompiler ? buildProgram({ files: { 'main.c': source } }) : new Uint8Array();
  /** The file with bytes replaced at an offset. */
  const patched = (offset: number, ...bytes: number[]): Uint8Array => {
    const copy = elf.slice();
    copy.set(bytes, offset);
    return copy;
  };
  const headerOffset = (field: number): number => new DataView(elf.buffer, elf.byteOffset).getUint32(field, true);

  it('gives segments by program header and symbols without the Thumb bit', () => {
    const image = parseElf(elf, 'a.elf');
    const get = image.symbols.find('get');
    expect(get).toMatchObject({ kind: 'function' });
    expect((get?.address ?? 1) & 1).toBe(0);
    expect(image.symbols.describe((get?.address ?? 0) + 2)).toBe('get+0x2');
    expect(image.symbols.find('zeroed')).toMatchObject({ kind: 'object', bytes: 400 });
    const data = image.segments.find((segment) => segment.runAddress === 0x2000_0000);
    expect(data?.loadAddress).toBeLessThan(0x1000);
    expect(data?.bytes.length).toBe(8);
  });

  it('call() sets up .data and .bss, once; run() leaves them to the firmware', () => {
    const machine = createMachine({ board, image: elf });
    machine.writeMemory(machine.symbol('zeroed').address, Uint8Array.of(9));
    expect(machine.call('get', [0]).value).toBe(0x1122_3344 + 7);
    expect([machine.call('next').value, machine.call('next').value]).toEqual([5, 6]);
    expect(machine.run()).toMatchObject({ stop: 'idle' });
    expect([machine.call('next').value, machine.call('next').value]).toEqual([5, 6]);
    machine.close();
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    [
      'a text file',
      () => new TextEncoder().encode('hello, this is no ELF file at all'),
      /^x\.elf: neither ELF nor Intel HEX/,
    ],
    ['a header cut short', () => elf.slice(0, 40), /^x\.elf: truncated ELF file \(40 bytes/],
    ['a file cut in its segments', () => elf.slice(0, headerOffset(28) + 200), /^x\.elf: truncated/],
    ['a 64-bit file', () => patched(4, 2), /^x\.elf: not a 32-bit little-endian/],
    ['a big-endian file', () => patched(5, 2), /^x\.elf: not a 32-bit little-endian/],
    ['another machine', () => patched(18, 3), /^x\.elf: built for 386, not for Arm/],
    ['an object file', () => patched(16, 1), /^x\.elf: an ELF file of type rel/],
    ['no program headers', () => patched(44, 0, 0), /^x\.elf: nothing to load/],
    ['no sections', () => patched(48, 0, 0), /^x\.elf: truncated or damaged/],
    [
      'a section header table beyond the end',
      () => patched(32, 0xff, 0xff, 0xff, 0x7f),
      /^x\.elf: truncated or damaged/,
    ],
    [
      'a program header table beyond the end',
      () => patched(28, 0xff, 0xff, 0xff, 0x7f),
      /^x\.elf: truncated or damaged/,
    ],
    [
      'more file bytes than memory',
      () => patched(headerOffset(28) + 20, 1, 0, 0, 0),
      /filesz|has \d+ bytes for 1 of memory/,
    ],
    [
      'a segment reaching past the file',
      () => patched(headerOffset(28) + 16, 0, 0, 0, 1),
      /^x\.elf: truncated ELF file \(program header 0/,
    ],
    [
      'a segment outside the board',
      () => patched(headerOffset(28) + 12, 0, 0, 0, 0x90),
      /^x\.elf: \d+ bytes at 0x90000000 lie outside the memory of board core-m4/,
    ],
  ])('%s is refused with one line', (_, file, message) => {
    expect(messageOf(() => createMachine({ board, image: file(), imageName: 'x.elf' }))).toMatch(message);
  });

  it('survives any single damaged byte of its headers: loads, or says one line', () => {
    const regions = [
      [0, 52],
      [headerOffset(28), 96],
      [headerOffset(32), 40 * 8],
    ] as const;
    for (const [start, length] of regions) {
      for (let offset = start; offset < Math.min(start + length, elf.length); offset++) {
        for (const value of [0, 1, 0x7f, 0xff]) {
          const file = patched(offset, value);
          if (!isElf(file)) continue;
          messageOf(() => {
            const image = parseElf(file, 'x.elf');
            checkSegments(image, board.name, board.memory);
          });
        }
      }
    }
  });

  it('survives being cut at any length', () => {
    for (let length = 0; length < elf.length; length += 97) {
      expect(messageOf(() => parseElf(elf.subarray(0, length), 'x.elf'))).toMatch(/^x\.elf: (truncated|not an ELF)/);
    }
  });
});

describe('Intel HEX', () => {
  const good = ':020000040800F2\n:0800000000040020090000 08C3\n'.replace(' ', '');
  const end = ':00000001FF\n';
  const parse = (text: string): unknown => parseIntelHex(new TextEncoder().encode(text), 'x.hex');

  it('joins records and applies both kinds of address record', () => {
    const text =
      ':020000040800F2\r\n:0400000001020304F2\r\n:0400040005060708DE\r\n:020000021000EC\r\n:0100100009E6\r\n:00000001FF\r\n';
    const image = parseIntelHex(new TextEncoder().encode(text), 'x.hex');
    expect(image.segments.map(({ loadAddress, bytes }) => [loadAddress, ...bytes])).toEqual([
      [0x0800_0000, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x0001_0010, 9],
    ]);
  });

  it.each([
    ['a wrong checksum', ':0400000001020304F3\n' + end, 'x.hex:1: wrong checksum'],
    ['a wrong length', ':0500000001020304F1\n' + end, 'x.hex:1: the record announces 5 data bytes and holds 4'],
    ['other characters', ':04000000010203zzF2\n' + end, 'x.hex:1: not an Intel HEX record'],
    ['an unknown type', ':00000009F7\n' + end, 'x.hex:1: record type 9'],
    ['a short address record', ':0100000408F3\n' + end, 'x.hex:1: an address record needs 2'],
    ['no end record', ':0400000001020304F2\n', 'x.hex: truncated Intel HEX file'],
    ['records after the end', end + ':0400000001020304F2\n', 'x.hex:2: a record after the end'],
    ['no data', end, 'x.hex: Intel HEX file without data'],
  ])('%s is refused with one line', (_, text, message) => {
    expect(messageOf(() => parse(text))).toContain(message);
    expect(good).toContain(':');
  });
});

describe('raw binaries', () => {
  it('go to the start of flash and run', () => {
    // Vectors (SP 0x20001000, reset 0x9), then: movs r0, #1; b .
    const bytes = Uint8Array.of(0, 0x10, 0, 0x20, 9, 0, 0, 0, 1, 0x20, 0xfe, 0xe7);
    expect(loadImage(bytes, 'x.bin', board).format).toBe('bin');
    const machine = createMachine({ board, image: bytes });
    expect(machine.run()).toMatchObject({ stop: 'idle', cycles: 1, instructions: 1 });
    machine.close();
  });

  it('a reset vector without the Thumb bit is a fault', () => {
    const machine = createMachine({ board, image: Uint8Array.of(0, 0x10, 0, 0x20, 8, 0, 0, 0, 1, 0x20) });
    expect(machine.run()).toMatchObject({
      stop: 'fault',
      fault: { cause: 'the reset vector 0x00000008 has no Thumb bit' },
    });
    machine.close();
  });

  it('too few or too many bytes are refused', () => {
    const tooLong = new Uint8Array(8 << 20);
    tooLong.set([0, 0x10, 0, 0x20, 9]);
    expect(messageOf(() => binaryImage(new Uint8Array(7), 'x.bin', board.memory))).toBe(
      'x.bin: 7 bytes are too few for a vector table; a firmware .bin has at least 8',
    );
    expect(messageOf(() => createMachine({ board, image: tooLong, imageName: 'x.bin' }))).toMatch(
      /^x\.bin: 8388608 bytes at 0x00000000 lie outside/,
    );
  });
});

describe('symbols', () => {
  it('an unsized function reaches a limited way, a sized one its size', () => {
    const table = new SymbolTable([
      { name: 'sized', address: 0x100, bytes: 8, kind: 'function' },
      { name: 'unsized', address: 0x200, bytes: 0, kind: 'function' },
      { name: 'label', address: 0x204, bytes: 0, kind: 'other' },
    ]);
    expect([0xff, 0x100, 0x107, 0x108, 0x200, 0x204, 0x10000].map((address) => table.describe(address))).toEqual([
      null,
      'sized',
      'sized+0x7',
      null,
      'unsized',
      'unsized+0x4',
      null,
    ]);
  });
});
