/** Arm executables as the machine needs them. Loads come from program headers by file size (section data of .bss would hold other sections' bytes). */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import {
  cString,
  EF_ARM_ABI_FLOAT_HARD,
  ELF_HEADER_BYTES,
  EM_ARM,
  ET_EXEC,
  isElf,
  PT_LOAD,
  readElfHeaders,
  sectionType,
  type ElfHeaders,
  type SectionHeader,
} from './elf-headers.ts';
import { SymbolTable, type FirmwareFile, type ImageSymbol, type Segment } from './image.ts';

export { isElf } from './elf-headers.ts';

const SYMBOL_BYTES = 16;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
/** Linkers make a handful; each costs a copy of up to all of RAM. */
const LOAD_SEGMENTS_MAX = 64;
/** Names may share their ends, so all together can be longer than the table that holds them; not by more than this. */
const NAME_SHARING_MAX = 16;

/** Names of e_machine and e_type for messages; those that are met in practice. */
const MACHINES: Readonly<Record<number, string>> = { 3: '386', 8: 'MIPS', 62: 'x86-64', 183: 'AArch64', 243: 'RISC-V' };
const TYPES: Readonly<Record<number, string>> = { 1: 'rel', 3: 'dyn', 4: 'core' };

/** Throws UserError (one line) on anything that is not a complete little-endian 32-bit Arm executable. */
export function parseElf(bytes: Uint8Array, name: string): FirmwareFile {
  const file = parse(bytes, name);
  if (file.machine !== EM_ARM)
    throw new UserError(
      `${name}: built for ${MACHINES[file.machine] ?? `machine ${file.machine}`}, not for Arm; use arm-none-eabi-gcc`,
    );
  if (file.type !== ET_EXEC)
    throw new UserError(
      `${name}: an ELF file of type ${TYPES[file.type] ?? file.type}, not an executable; link it first`,
    );
  const segments = loadSegments(file, bytes, name);
  if (segments.length === 0)
    throw new UserError(`${name}: nothing to load (no PT_LOAD program header); link it with a linker script`);
  checkOverlaps(segments, name);
  checkEntry(file.entry, segments, name);
  const floatAbi = (file.flags & EF_ARM_ABI_FLOAT_HARD) !== 0 ? 'hard' : 'soft';
  return { name, format: 'elf', segments, symbols: new SymbolTable(readSymbols(file, bytes, name)), floatAbi };
}

function parse(bytes: Uint8Array, name: string): ElfHeaders {
  if (!isElf(bytes)) throw new UserError(`${name}: not an ELF file (it does not begin with 7f 45 4c 46)`);
  if (bytes.length < ELF_HEADER_BYTES)
    throw new UserError(
      `${name}: truncated ELF file (${bytes.length} bytes; the header alone has ${ELF_HEADER_BYTES})`,
    );
  if (bytes[4] !== 1 || bytes[5] !== 1)
    throw new UserError(`${name}: not a 32-bit little-endian ELF file; build for a Cortex-M`);
  const headers = readElfHeaders(bytes);
  if (headers !== null) return headers;
  throw new UserError(
    `${name}: truncated or damaged ELF file (its program or section headers do not fit the ${bytes.length} bytes)`,
  );
}

function loadSegments(file: ElfHeaders, bytes: Uint8Array, name: string): Segment[] {
  const segments: Segment[] = [];
  for (const [index, program] of file.programs.entries()) {
    if (program.type !== PT_LOAD || program.memoryBytes === 0) continue;
    if (program.offset + program.fileBytes > bytes.length) {
      throw new UserError(
        `${name}: truncated ELF file (program header ${index} needs bytes up to ${program.offset + program.fileBytes} of ${bytes.length})`,
      );
    }
    if (program.fileBytes > program.memoryBytes) {
      throw new UserError(
        `${name}: damaged ELF file (program header ${index} has ${program.fileBytes} bytes for ${program.memoryBytes} of memory)`,
      );
    }
    if (segments.length === LOAD_SEGMENTS_MAX)
      throw new UserError(
        `${name}: damaged ELF file (more than ${LOAD_SEGMENTS_MAX} program headers to load; a linker makes a handful)`,
      );
    segments.push({
      loadAddress: program.loadAddress,
      runAddress: program.runAddress,
      bytes: bytes.subarray(program.offset, program.offset + program.fileBytes),
      memoryBytes: program.memoryBytes,
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
function readSymbols(file: ElfHeaders, bytes: Uint8Array, name: string): ImageSymbol[] {
  const [table, another] = file.sections.filter((section) => section.type === sectionType.symbols);
  if (another !== undefined)
    throw new UserError(`${name}: damaged ELF file (more than one symbol table); link it again`);
  const names = table === undefined ? undefined : file.sections[table.link];
  if (table === undefined || names === undefined || names.type !== sectionType.strings) return [];
  const contents = ({ offset, bytes: length }: SectionHeader): Uint8Array => {
    if (offset + length > bytes.length)
      throw new UserError(
        `${name}: truncated ELF file (its symbol table needs bytes up to ${offset + length} of ${bytes.length})`,
      );
    return bytes.subarray(offset, offset + length);
  };
  return collectSymbols(contents(table), contents(names), name);
}

function collectSymbols(table: Uint8Array, names: Uint8Array, fileName: string): ImageSymbol[] {
  const symbols: ImageSymbol[] = [];
  let nameBytes = NAME_SHARING_MAX * names.length;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let offset = 0; offset + SYMBOL_BYTES <= view.byteLength; offset += SYMBOL_BYTES) {
    const name = cString(names, view.getUint32(offset, true));
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
