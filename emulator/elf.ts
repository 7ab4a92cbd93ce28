/**
 * ELF32 for Arm, read through elfy and distrusted: elfy truncates segments that reach past the file, throws raw errors on short files,
 * and has no symbols. Loads come from program headers by filesz (section data of .bss would hold other sections' bytes).
 */
import elfy, { type ElfyFile, type ElfySection } from 'elfy';
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import { SymbolTable, type FirmwareFile, type ImageSymbol, type Segment } from './image.ts';

const SYMBOL_BYTES = 16;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
/** Linkers make a handful; each costs a copy of up to all of RAM. */
const LOAD_SEGMENTS_MAX = 64;
/** Names may share their ends, so all together can be longer than the table that holds them; not by more than this. */
const NAME_SHARING_MAX = 16;

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Throws UserError (one line) on anything that is not a complete little-endian 32-bit Arm executable. */
export function parseElf(bytes: Uint8Array, name: string): FirmwareFile {
  const file = parse(bytes, name);
  if (file.machine !== 'arm')
    throw new UserError(
      `${name}: built for ${file.machine ?? 'an unknown machine'}, not for Arm; use arm-none-eabi-gcc`,
    );
  if (file.type !== 'exec')
    throw new UserError(`${name}: an ELF file of type ${String(file.type)}, not an executable; link it first`);
  const segments = loadSegments(file, bytes, name);
  if (segments.length === 0)
    throw new UserError(`${name}: nothing to load (no PT_LOAD program header); link it with a linker script`);
  checkOverlaps(segments, name);
  checkEntry(file.entry, segments, name);
  return { name, format: 'elf', segments, symbols: new SymbolTable(readSymbols(file, bytes, name)) };
}

function parse(bytes: Uint8Array, name: string): ElfyFile {
  if (!isElf(bytes)) throw new UserError(`${name}: not an ELF file (it does not begin with 7f 45 4c 46)`);
  if (bytes.length < 52)
    throw new UserError(`${name}: truncated ELF file (${bytes.length} bytes; the header alone has 52)`);
  if (bytes[4] !== 1 || bytes[5] !== 1)
    throw new UserError(`${name}: not a 32-bit little-endian ELF file; build for a Cortex-M`);
  try {
    return elfy.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    // elfy reports every inconsistency as some TypeError, RangeError or AssertionError without a useful text.
    throw new UserError(
      `${name}: truncated or damaged ELF file (its program or section headers do not fit the ${bytes.length} bytes)`,
    );
  }
}

function loadSegments(file: ElfyFile, bytes: Uint8Array, name: string): Segment[] {
  const segments: Segment[] = [];
  for (const [index, program] of file.body.programs.entries()) {
    if (program.type !== 'load' || program.memsz === 0) continue;
    if (program.offset + program.filesz > bytes.length) {
      throw new UserError(
        `${name}: truncated ELF file (program header ${index} needs bytes up to ${program.offset + program.filesz} of ${bytes.length})`,
      );
    }
    if (program.filesz > program.memsz) {
      throw new UserError(
        `${name}: damaged ELF file (program header ${index} has ${program.filesz} bytes for ${program.memsz} of memory)`,
      );
    }
    if (segments.length === LOAD_SEGMENTS_MAX)
      throw new UserError(
        `${name}: damaged ELF file (more than ${LOAD_SEGMENTS_MAX} program headers to load; a linker makes a handful)`,
      );
    segments.push({
      loadAddress: program.paddr,
      runAddress: program.vaddr,
      bytes: bytes.subarray(program.offset, program.offset + program.filesz),
      memoryBytes: program.memsz,
    });
  }
  return segments;
}

/** Two contents for one address: which of them would be right cannot be known. */
function checkOverlaps(segments: readonly Segment[], name: string): void {
  const sorted = segments.filter((segment) => segment.bytes.length > 0).sort((a, b) => a.loadAddress - b.loadAddress);
  for (const [index, segment] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && segment.loadAddress + segment.bytes.length > next.loadAddress) {
      throw new UserError(
        `${name}: damaged ELF file (two program headers overlap: both load to ${hex32(next.loadAddress)})`,
      );
    }
  }
}

/** The reset vector decides where the firmware starts, but an entry point outside of everything shows a damaged file; 0: none is given. */
function checkEntry(entry: number, segments: readonly Segment[], name: string): void {
  const inside = ({ runAddress, memoryBytes }: Segment): boolean =>
    entry >= runAddress && entry - runAddress < memoryBytes;
  if (entry !== 0 && !segments.some(inside))
    throw new UserError(`${name}: damaged ELF file (its entry point ${hex32(entry)} lies outside what it loads)`);
}

/** An executable has at most one symbol table (System V ABI, chapter 4, "Sections"); a file stripped of it has none. */
function readSymbols(file: ElfyFile, bytes: Uint8Array, name: string): ImageSymbol[] {
  const [table, another] = file.body.sections.filter((section) => section.type === 'symtab');
  if (another !== undefined)
    throw new UserError(`${name}: damaged ELF file (more than one symbol table); link it again`);
  const names = table === undefined ? undefined : file.body.sections[table.link];
  if (table === undefined || names === undefined || names.type !== 'strtab') return [];
  for (const { off, size } of [table, names]) {
    if (off + size > bytes.length)
      throw new UserError(
        `${name}: truncated ELF file (its symbol table needs bytes up to ${off + size} of ${bytes.length})`,
      );
  }
  return collectSymbols(table, names, name);
}

function collectSymbols(table: ElfySection, names: ElfySection, fileName: string): ImageSymbol[] {
  const symbols: ImageSymbol[] = [];
  let nameBytes = NAME_SHARING_MAX * names.data.length;
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
  for (let offset = 0; offset + SYMBOL_BYTES <= view.byteLength; offset += SYMBOL_BYTES) {
    const name = textAt(names.data, view.getUint32(offset, true));
    nameBytes -= name.length;
    if (nameBytes < 0) throw new UserError(`${fileName}: damaged ELF file (its symbol names overlap without end)`);
    const type = view.getUint8(offset + 12) & 0xf;
    // $t and $d are mapping symbols; undefined and unnamed ones have no place.
    if (name === '' || name.startsWith('$') || view.getUint16(offset + 14, true) === SHN_UNDEF) continue;
    const value = view.getUint32(offset + 4, true);
    symbols.push({
      name,
      address: type === STT_FUNC ? (value & ~1) >>> 0 : value,
      bytes: view.getUint32(offset + 8, true),
      kind: type === STT_FUNC ? 'function' : type === STT_OBJECT ? 'object' : 'other',
    });
  }
  return symbols;
}

function textAt(data: Uint8Array, offset: number): string {
  if (offset >= data.length) return '';
  const end = data.indexOf(0, offset);
  return new TextDecoder().decode(data.subarray(offset, end < 0 ? data.length : end));
}
