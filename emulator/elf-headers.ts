/**
 * The tables of a 32-bit little-endian ELF file (System V ABI, chapter 4; Arm's flags: ELF for the Arm Architecture, 5.3). Every offset is
 * checked against the file before it is used.
 */
export const ELF_HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const SECTION_HEADER_BYTES = 40;
export const PT_LOAD = 1;
export const EM_ARM = 40;
export const ET_EXEC = 2;
/** e_flags: float arguments are in FPU registers. */
export const EF_ARM_ABI_FLOAT_HARD = 0x400;
export const sectionType = { symbols: 2, strings: 3, noBits: 8 } as const;

export interface ElfHeaders {
  readonly machine: number;
  readonly type: number;
  readonly entry: number;
  readonly flags: number;
  readonly programs: readonly ProgramHeader[];
  readonly sections: readonly SectionHeader[];
  /** Section that holds the names of sections. */
  readonly namesIndex: number;
}

export interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly runAddress: number;
  readonly loadAddress: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

export interface SectionHeader {
  /** Offset of its name in the section of names. */
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly bytes: number;
  /** Of a symbol table: the section with its names. */
  readonly link: number;
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @param file at least 52 bytes. @returns null when a table does not fit the file; contents of segments and sections are not looked at */
export function readElfHeaders(file: Uint8Array): ElfHeaders | null {
  if (file.length < ELF_HEADER_BYTES) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const table = <T>(offset: number, entryBytes: number, count: number, bytesMin: number, read: (at: number) => T) => {
    if (count === 0) return [];
    if (entryBytes < bytesMin || offset + count * entryBytes > file.length) return null;
    return Array.from({ length: count }, (_, index) => read(offset + index * entryBytes));
  };
  const half = (at: number): number => view.getUint16(at, true);
  const word = (at: number): number => view.getUint32(at, true);
  const programs = table(word(28), half(42), half(44), PROGRAM_HEADER_BYTES, (at) => readProgram(view, at));
  const sections = table(word(32), half(46), half(48), SECTION_HEADER_BYTES, (at) => readSection(view, at));
  const namesIndex = half(50);
  if (programs === null || sections === null || (namesIndex !== 0 && namesIndex >= sections.length)) return null;
  return { type: half(16), machine: half(18), entry: word(24), flags: word(36), programs, sections, namesIndex };
}

/** The zero-terminated text at an offset; empty behind the end. */
export function cString(data: Uint8Array, offset: number): string {
  if (offset >= data.length) return '';
  const end = data.indexOf(0, offset);
  return new TextDecoder().decode(data.subarray(offset, end < 0 ? data.length : end));
}

function readProgram(view: DataView, at: number): ProgramHeader {
  const word = (offset: number): number => view.getUint32(at + offset, true);
  return {
    type: word(0),
    offset: word(4),
    runAddress: word(8),
    loadAddress: word(12),
    fileBytes: word(16),
    memoryBytes: word(20),
  };
}

function readSection(view: DataView, at: number): SectionHeader {
  const word = (offset: number): number => view.getUint32(at + offset, true);
  return {
    name: word(0),
    type: word(4),
    flags: word(8),
    address: word(12),
    offset: word(16),
    bytes: word(20),
    link: word(24),
  };
}
