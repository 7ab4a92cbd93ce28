/**
 * Section sizes and symbols of an ELF we linked ourselves (32-bit, little-endian, Arm): System V ABI, chapter 4. The emulator has its own
 * loader for files of unknown origin.
 */
import { assert } from '../../common/errors.ts';

export interface ElfSymbol {
  readonly name: string;
  /** Bit 0, the Thumb bit of functions, cleared. */
  readonly address: number;
  readonly bytes: number;
  readonly type: 'function' | 'object' | 'other';
}

export interface ElfSummary {
  /** Allocated sections by name, bytes. */
  readonly sectionBytes: ReadonlyMap<string, number>;
  /** Code, constants and the initial values of .data. */
  readonly flashBytes: number;
  readonly dataBytes: number;
  readonly bssBytes: number;
  readonly symbols: readonly ElfSymbol[];
}

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SECTION_HEADER = { name: 0, type: 4, flags: 8, offset: 16, size: 20, link: 24 } as const;
const SYMBOL_BYTES = 16;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

export function readElfSummary(bytes: Uint8Array): ElfSummary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert(
    view.getUint32(0) === 0x7f454c46 && view.getUint8(4) === 1 && view.getUint8(5) === 1,
    'the linker made no ELF32',
  );
  const sections = readSections(view, bytes);
  const sectionBytes = new Map<string, number>();
  let flashBytes = 0;
  let dataBytes = 0;
  let bssBytes = 0;
  for (const section of sections) {
    if ((section.flags & SHF_ALLOC) === 0 || section.size === 0) continue;
    sectionBytes.set(section.name, section.size);
    if (section.type === SHT_NOBITS) bssBytes += section.size;
    else flashBytes += section.size;
    // With nothing but weights in it, .data is not even writable.
    const isInRam = section.name === '.data' || (section.flags & SHF_WRITE) !== 0;
    if (section.type !== SHT_NOBITS && isInRam) dataBytes += section.size;
  }
  return { sectionBytes, flashBytes, dataBytes, bssBytes, symbols: readSymbols(view, bytes, sections) };
}

function textAt(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString('latin1');
}

function readSections(view: DataView, bytes: Uint8Array): Section[] {
  const table = view.getUint32(32, true);
  const entryBytes = view.getUint16(46, true);
  const count = view.getUint16(48, true);
  const at = (index: number, field: number): number => view.getUint32(table + index * entryBytes + field, true);
  const names = at(view.getUint16(50, true), SECTION_HEADER.offset);
  return Array.from({ length: count }, (_, index) => ({
    name: textAt(bytes, names + at(index, SECTION_HEADER.name)),
    type: at(index, SECTION_HEADER.type),
    flags: at(index, SECTION_HEADER.flags),
    offset: at(index, SECTION_HEADER.offset),
    size: at(index, SECTION_HEADER.size),
    link: at(index, SECTION_HEADER.link),
  }));
}

function readSymbols(view: DataView, bytes: Uint8Array, sections: readonly Section[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const strings = table && sections[table.link];
  if (!table || !strings) return [];
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at < table.offset + table.size; at += SYMBOL_BYTES) {
    const name = textAt(bytes, strings.offset + view.getUint32(at, true));
    if (name === '' || name.startsWith('$')) continue;
    const kind = view.getUint8(at + 12) & 0xf;
    const type = kind === 2 ? 'function' : kind === 1 ? 'object' : 'other';
    const value = view.getUint32(at + 4, true);
    symbols.push({
      name,
      address: type === 'function' ? value & ~1 : value,
      bytes: view.getUint32(at + 8, true),
      type,
    });
  }
  return symbols;
}
