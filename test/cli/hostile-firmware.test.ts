/**
 * Hostile firmware files through `sim`: exit code 2, one line naming the file, nothing on standard output, within seconds. ELF files are
 * written and damaged field by field; Intel HEX and raw images too.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thumbelina } from './support/cli.ts';
import { patched, vectorsAndCode, writeElf, type ProgramHeader } from './support/elf-file.ts';
import { workspace } from './support/workspace.ts';

const SECONDS_MAX = 30;
const RAM = 0x2000_0000;
const space = workspace();

/** 8: b . (reset); 10: movs r0, #1; bx lr (`one`) */
const code = vectorsAndCode(0xe7fe, 0x2001, 0x4770);
const text: ProgramHeader = { vaddr: 0, bytes: code };
const good = writeElf({ programs: [text], entry: 9, symbols: { one: 11, reset: 9 } });
const PROGRAM = good.programs;
const SYMTAB = good.sections + 40;
const STRTAB = good.sections + 80;

async function expectRefusal(path: string, message: RegExp, ...words: string[]): Promise<void> {
  const { code: exitCode, stdout, stderr } = await thumbelina(['sim', path, ...words], { secondsMax: SECONDS_MAX });
  expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
  expect(stderr).toContain(basename(path));
  expect(stderr).toMatch(message);
  expect(stderr.length).toBeLessThan(1000);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
}

type Case = readonly [what: string, bytes: () => Uint8Array | string, message: RegExp];

function refuses(extension: string, cases: readonly Case[], ...words: string[]): void {
  it.each(cases)('%s', async (what, bytes, message) => {
    const path = space.write(`${what.replaceAll(/\W+/g, '-')}.${extension}`, bytes());
    await expectRefusal(path, message, ...words);
  });
}

const cut = (length: number) => () => good.bytes.slice(0, length);
const patch =
  (...changes: readonly (readonly [number, number, number?])[]) =>
  () =>
    patched(good, changes);
const elf =
  (...programs: readonly ProgramHeader[]) =>
  () =>
    writeElf({ programs }).bytes;

it('the undamaged file runs, from reset and by a call', async () => {
  const path = space.write('good.elf', good.bytes);
  expect(await thumbelina(['sim', path, '--json'])).toMatchObject({ code: 0, stderr: '' });
  const call = await thumbelina(['sim', path, '--call', 'one', '--json']);
  expect(JSON.parse(call.stdout)).toMatchObject({ stop: 'return', returnValue: 1, cycles: 4, instructions: 2 });
});

describe.concurrent('a truncated ELF is refused', () => {
  refuses('elf', [
    ['after its magic number', cut(4), /truncated ELF file \(4 bytes/],
    ['in its identification', cut(10), /truncated ELF/],
    ['in its header', cut(51), /truncated ELF/],
    ['before the program headers', cut(52), /truncated/],
    ['in a program header', cut(PROGRAM + 20), /truncated/],
    ['in a segment', cut(PROGRAM + 32 + 10), /truncated/],
    ['in the symbols', cut(good.symbols + 8), /truncated/],
    ['in the names', cut(good.names + 2), /truncated/],
    ['before the section headers', cut(good.sections), /truncated/],
    ['in a section header', cut(SYMTAB + 20), /truncated/],
    ['by one byte', cut(good.bytes.length - 1), /truncated/],
  ]);
});

describe.concurrent('an ELF for something else is refused', () => {
  refuses('elf', [
    ['of 64 bits', patch([4, 2, 1]), /not a 32-bit little-endian/],
    ['big-endian', patch([5, 2, 1]), /not a 32-bit little-endian/],
    ['of an unknown class', patch([4, 9, 1]), /not a 32-bit little-endian/],
    ['for x86', patch([18, 3, 2]), /built for 386, not for Arm/],
    ['for RISC-V', patch([18, 243, 2]), /not for Arm/],
    ['an object file', patch([16, 1, 2]), /not an executable/],
    ['a shared library', patch([16, 3, 2]), /not an executable/],
    ['a core dump', patch([16, 4, 2]), /not an executable/],
  ]);
});

describe.concurrent('an ELF with hostile program headers is refused', () => {
  const many = (count: number, program: ProgramHeader) => elf(text, ...Array.from({ length: count }, () => program));
  refuses('elf', [
    ['without any', patch([44, 0, 2]), /nothing to load/],
    ['with none to load', elf({ ...text, type: 4 }), /nothing to load/],
    ['65535 of them', patch([44, 0xffff, 2]), /truncated or damaged/],
    ['beyond the end', patch([28, 0x7fff_ffff]), /truncated or damaged/],
    ['of one byte each', patch([42, 1, 2]), /damaged|nothing to load/],
    ['more bytes in the file than in memory', elf({ ...text, memsz: 4 }), /has 14 bytes for 4 of memory/],
    ['bytes beyond the file', elf({ ...text, filesz: 0x1000_0000, memsz: 0x1000_0000 }), /truncated ELF file/],
    ['an offset beyond the file', elf({ ...text, offset: 0xffff_fff0 }), /truncated ELF file/],
    ['loaded outside the memory', elf({ ...text, vaddr: 0x9000_0000 }), /at 0x90000000 lie outside the memory/],
    ['loaded across the end of flash', elf(text, { vaddr: 0x003f_fffc, bytes: code }), /lie outside the memory/],
    ['loaded over the end of the address space', elf(text, { vaddr: 0xffff_fffc, bytes: code }), /lie outside/],
    ['run outside the memory', elf({ ...text, vaddr: 0x6000_0000, paddr: 0 }), /at 0x60000000 lie outside/],
    ['loaded over the peripherals', elf(text, { vaddr: 0x4000_0000, bytes: code }), /lie outside the memory/],
    ['four gigabytes of zeros', elf(text, { vaddr: RAM, memsz: 0xffff_ffff }), /lie outside the memory/],
    ['two at one address', elf(text, { vaddr: 4, bytes: code }), /overlap/],
    ['2000 times all of flash', many(2000, { vaddr: 0, offset: 0, filesz: 64, memsz: 64 }), /overlap|program headers/],
    ['an entry point outside the segments', patch([24, 0x0800_0001]), /entry point 0x08000001/],
  ]);
  // --call clears what the segments have in RAM: 60000 headers of 4 MB each would take a minute.
  refuses(
    'elf',
    [['60000 times all of RAM', many(60_000, { vaddr: RAM, memsz: 0x40_0000 }), /program headers/]],
    '--call',
    'one',
  );
});

describe.concurrent('an ELF with hostile sections is refused, or without its symbols', () => {
  refuses('elf', [
    ['65535 sections', patch([48, 0xffff, 2]), /truncated or damaged/],
    ['sections beyond the end', patch([32, 0x7fff_ffff]), /truncated or damaged/],
    ['sections that wrap around', patch([32, 0xffff_fff0]), /truncated or damaged/],
  ]);
  const words = ['--call', 'one'];
  refuses(
    'elf',
    [
      ['symbols beyond the end', patch([SYMTAB + 16, 0x7fff_ffff]), /no symbol one|damaged|truncated/],
      ['more symbols than bytes', patch([SYMTAB + 20, 0xffff_fff0]), /no symbol one|damaged|truncated/],
      ['symbols that name no section', patch([SYMTAB + 24, 77]), /no symbol one|damaged|truncated/],
      ['symbols named by themselves', patch([SYMTAB + 24, 1]), /no symbol one|damaged|truncated/],
      ['names beyond the end', patch([STRTAB + 16, 0x7fff_ffff]), /no symbol one|damaged|truncated/],
      ['a name out of range', patch([good.symbols + 16, 0xffff]), /no symbol one/],
      ['an undefined symbol', patch([good.symbols + 16 + 14, 0, 2]), /no symbol one/],
      ['no sections at all', patch([32, 0], [48, 0, 2], [50, 0, 2]), /no symbol one|damaged|truncated/],
      ['a symbol that is not there', () => writeElf({ programs: [text] }).bytes, /no symbol one/],
    ],
    ...words,
  );

  it('20000 tables of the same 100000 symbols end soon', async () => {
    const path = space.write('many-tables.elf', repeatedTables(20_000, 100_000));
    await expectRefusal(path, /symbol/, '--call', 'two');
  });

  it('100000 symbols that share one name of a megabyte end soon', async () => {
    const path = space.write('long-name.elf', longName(100_000, 1_000_000));
    await expectRefusal(path, /symbol/, '--call', 'two');
  });
});

describe.concurrent('what is no firmware is refused', () => {
  refuses('bin', [
    ['an empty image', () => '', /0 bytes are too few/],
    ['an image of seven bytes', () => code.slice(0, 7), /7 bytes are too few/],
    ['an image of zeros', () => new Uint8Array(4096), /no stack pointer and reset vector/],
    ['a text', () => 'once upon a time there was a text\n', /no stack pointer and reset vector/],
    [
      'an image larger than flash',
      () =>
        patched({ bytes: new Uint8Array(5 << 20) }, [
          [0, 0x2000_1000],
          [4, 9],
        ]),
      /lie outside/,
    ],
  ]);
  const end = ':00000001FF\n';
  refuses('hex', [
    ['a wrong checksum', () => `:0400000001020304F3\n${end}`, /:1: wrong checksum/],
    ['a wrong length', () => `:0500000001020304F1\n${end}`, /:1: the record announces 5/],
    ['no end', () => ':0400000001020304F2\n', /truncated Intel HEX/],
    ['letters', () => `:0400000001020304zz\n${end}`, /:1: not an Intel HEX record/],
    ['an unknown record', () => `:00000009F7\n${end}`, /record type 9/],
    [
      'data outside the memory',
      () => `:020000049000 6A\n:0400000001020304F2\n${end}`.replace(' ', ''),
      /0x90000000 lie outside/,
    ],
    ['a megabyte in one line', () => `:${'00'.repeat(500_000)}\n${end}`, /:1: /],
  ]);

  it.each<[string, () => string, RegExp]>([
    ['a folder', () => (mkdirSync(space.path('folder.elf')), space.path('folder.elf')), /is a folder/],
    ['an endless device', () => '/dev/zero', /larger than 256 MiB/],
    ['a sparse terabyte', () => sparse('sparse.bin', 2 ** 40), /larger than 256 MiB/],
  ])('%s', async (_, make, message) => {
    await expectRefusal(make(), message);
  });
});

function sparse(name: string, bytes: number): string {
  const file = openSync(space.path(name), 'w');
  ftruncateSync(file, bytes);
  closeSync(file);
  return space.path(name);
}

/** Section headers that all describe one symbol table; reading it for each would take hours. */
function repeatedTables(tables: number, symbolCount: number): Uint8Array {
  const symbols = Object.fromEntries(Array.from({ length: symbolCount }, (_, i) => [`s${i}`, 9]));
  const layout = writeElf({ programs: [text], symbols });
  const table = layout.bytes.slice(layout.sections + 40, layout.sections + 80);
  const bytes = new Uint8Array(layout.bytes.length + 40 * tables);
  bytes.set(layout.bytes);
  for (let i = 0; i < tables; i++) bytes.set(table, layout.bytes.length + 40 * i);
  return patched({ bytes }, [[48, 3 + tables, 2]]);
}

/** Symbols whose names all begin at the same place of a text without end. */
function longName(symbolCount: number, nameBytes: number): Uint8Array {
  const symbols = Object.fromEntries(Array.from({ length: symbolCount }, (_, i) => [`s${i}`, 9]));
  const layout = writeElf({ programs: [text], symbols: { ...symbols, ['x'.repeat(nameBytes)]: 9 } });
  const view = new DataView(layout.bytes.buffer);
  const last = view.getUint32(layout.symbols + 16 * (symbolCount + 1), true);
  for (let i = 1; i <= symbolCount; i++) view.setUint32(layout.symbols + 16 * i, last, true);
  return layout.bytes;
}
