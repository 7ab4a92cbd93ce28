/** A small ELF32 for Arm, written field by field (System V ABI, chapter 4), so that tests can damage any of them. No compiler is needed. */

const HEADER_BYTES = 52;
const PROGRAM_BYTES = 32;
const SECTION_BYTES = 40;
const SYMBOL_BYTES = 16;

export interface ProgramHeader {
  readonly type?: number;
  readonly offset?: number;
  readonly vaddr: number;
  readonly paddr?: number;
  readonly bytes?: Uint8Array;
  readonly filesz?: number;
  readonly memsz?: number;
}

export interface ElfParts {
  readonly programs: readonly ProgramHeader[];
  readonly entry?: number;
  /** Functions by name. */
  readonly symbols?: Readonly<Record<string, number>>;
}

/** Byte offsets of what `writeElf` wrote. */
export interface ElfLayout {
  readonly bytes: Uint8Array;
  readonly programs: number;
  readonly sections: number;
  readonly symbols: number;
  readonly names: number;
}

/** Header, program headers, their bytes, symbols, names, section headers (null, symtab, strtab). */
export function writeElf({ programs, entry, symbols = {} }: ElfParts): ElfLayout {
  const dataAt = HEADER_BYTES + PROGRAM_BYTES * programs.length;
  const dataBytes = programs.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  const symbolsAt = dataAt + Math.ceil(dataBytes / 4) * 4;
  const names = ['', ...Object.keys(symbols), '.symtab', '.strtab'];
  const nameText = new TextEncoder().encode(`${names.join('\0')}\0`);
  const nameOffsets = new Map<string, number>();
  let nameEnd = 0;
  for (const name of names) {
    nameOffsets.set(name, nameEnd);
    nameEnd += name.length + 1;
  }
  const nameAt = (name: string): number => nameOffsets.get(name)!;
  const symbolBytes = SYMBOL_BYTES * (1 + Object.keys(symbols).length);
  const namesAt = symbolsAt + symbolBytes;
  const sectionsAt = Math.ceil((namesAt + nameText.length) / 4) * 4;
  const bytes = new Uint8Array(sectionsAt + 3 * SECTION_BYTES);
  const view = new DataView(bytes.buffer);
  const words = (at: number, values: readonly number[]): void =>
    values.forEach((value, index) => view.setUint32(at + 4 * index, value >>> 0, true));
  const halves = (at: number, values: readonly number[]): void =>
    values.forEach((value, index) => view.setUint16(at + 2 * index, value, true));

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  halves(16, [2, 40]); // executable, Arm
  words(20, [1, entry ?? 0, HEADER_BYTES, sectionsAt, 0x0500_0000]);
  halves(40, [HEADER_BYTES, PROGRAM_BYTES, programs.length, SECTION_BYTES, 3, 2]);
  let at = dataAt;
  for (const [index, program] of programs.entries()) {
    const data = program.bytes ?? new Uint8Array();
    const { type = 1, offset = at, vaddr, paddr = vaddr, filesz = data.length, memsz = data.length } = program;
    words(HEADER_BYTES + PROGRAM_BYTES * index, [type, offset, vaddr, paddr, filesz, memsz, 5, 4]);
    bytes.set(data, at);
    at += data.length;
  }
  for (const [index, [name, address]] of Object.entries(symbols).entries()) {
    const symbol = symbolsAt + SYMBOL_BYTES * (index + 1);
    words(symbol, [nameAt(name), address, 0]);
    halves(symbol + 12, [0x12, 1]); // global function in section 1
  }
  bytes.set(nameText, namesAt);
  words(sectionsAt + SECTION_BYTES, [nameAt('.symtab'), 2, 0, 0, symbolsAt, symbolBytes, 2, 1, 4, SYMBOL_BYTES]);
  words(sectionsAt + 2 * SECTION_BYTES, [nameAt('.strtab'), 3, 0, 0, namesAt, nameText.length, 0, 0, 1, 0]);
  return { bytes, programs: HEADER_BYTES, sections: sectionsAt, symbols: symbolsAt, names: namesAt };
}

/** Thumb code for flash at address 0: stack pointer, reset vector, then halfwords from address 8 on. */
export function vectorsAndCode(...code: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + 2 * code.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x2000_1000, true);
  view.setUint32(4, 9, true);
  code.forEach((halfword, index) => view.setUint16(8 + 2 * index, halfword, true));
  return bytes;
}

/** The file with words replaced, by byte offset. */
export function patched(
  { bytes }: { readonly bytes: Uint8Array },
  changes: readonly (readonly [number, number, number?])[],
): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (const [at, value, width = 4] of changes) {
    if (width === 4) view.setUint32(at, value >>> 0, true);
    else if (width === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
  }
  return copy;
}
