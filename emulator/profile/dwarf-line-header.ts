/** Headers of line-number programs, versions 2 to 5 (DWARF 5, 6.2.4; DWARF 4, 6.2.4), with their file names as paths. */
import { cString } from '../elf-headers.ts';
import { DwarfError, type ByteReader } from './byte-reader.ts';

/** Content types of directory and file entries (DWARF 5, 6.2.4.1). */
const DW_LNCT_path = 1;
const DW_LNCT_directory_index = 2;

const form = {
  block2: 0x03,
  block4: 0x04,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  block1: 0x0a,
  data1: 0x0b,
  strp: 0x0e,
  udata: 0x0f,
  data16: 0x1e,
  lineStrp: 0x1f,
} as const;

export interface FileNaming {
  /** The compiler's folder, where version 4 and older take relative paths from; empty: unknown. */
  readonly folder: string;
  readonly lineStr: Uint8Array;
  readonly str: Uint8Array;
}

export interface LineHeader {
  readonly version: number;
  readonly minimumInstructionBytes: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operands of the standard opcodes 1..opcodeBase-1. */
  readonly opcodeOperands: readonly number[];
  /** Paths by the file register's value; gaps are empty. */
  readonly files: string[];
  readonly directories: readonly string[];
}

/** Reads a header after its unit length and leaves the reader at the first opcode. */
export function readLineHeader(reader: ByteReader, naming: FileNaming): LineHeader {
  const version = reader.u16();
  if (version < 2 || version > 5) throw new DwarfError(`version ${version} of .debug_line is none of 2 to 5`);
  if (version >= 5) {
    const addressBytes = reader.u8();
    if (addressBytes !== 4) throw new DwarfError(`addresses of ${addressBytes} bytes, 4 expected`);
    reader.u8();
  }
  const headerBytes = reader.u32();
  const programAt = reader.at + headerBytes;
  const minimumInstructionBytes = reader.u8();
  // Operations per instruction matter to VLIW machines only.
  if (version >= 4) reader.u8();
  const defaultIsStatement = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  if (lineRange === 0 || opcodeBase === 0) throw new DwarfError('a line range or opcode base of 0');
  const opcodeOperands = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const { files, directories } = version >= 5 ? readTables5(reader, naming) : readTables(reader, naming);
  if (programAt > reader.end || programAt < reader.at) throw new DwarfError('a header of impossible length');
  reader.at = programAt;
  return {
    version,
    minimumInstructionBytes,
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    opcodeOperands,
    files,
    directories,
  };
}

interface Tables {
  readonly files: string[];
  readonly directories: readonly string[];
}

/** Up to version 4 directory 0 is the compiler's folder, and files count from 1. */
function readTables(reader: ByteReader, { folder }: FileNaming): Tables {
  const directories = [folder];
  for (let text = reader.text(); text !== ''; text = reader.text()) directories.push(joinPath(folder, text));
  const files = [''];
  for (let text = reader.text(); text !== ''; text = reader.text()) {
    files.push(joinPath(directories[reader.unsignedLeb()] ?? '', text));
    reader.unsignedLeb();
    reader.unsignedLeb();
  }
  return { files, directories };
}

interface NamedEntry {
  readonly path: string;
  readonly directory: number;
}

function readTables5(reader: ByteReader, naming: FileNaming): Tables {
  const directories: string[] = [];
  for (const { path } of readEntries(reader, naming)) directories.push(joinPath(directories[0] ?? '', path));
  const files = readEntries(reader, naming).map(({ path, directory }) => joinPath(directories[directory] ?? '', path));
  return { files, directories };
}

function readEntries(reader: ByteReader, naming: FileNaming): NamedEntry[] {
  const formats = Array.from({ length: reader.u8() }, () => [reader.unsignedLeb(), reader.unsignedLeb()] as const);
  const count = reader.unsignedLeb();
  if (count > 0 && (formats.length === 0 || count > reader.end - reader.at))
    throw new DwarfError(`a table of ${count} file entries that cannot be there`);
  return Array.from({ length: count }, () => {
    let path = '';
    let directory = 0;
    for (const [content, encoding] of formats) {
      const value = readForm(reader, encoding, naming);
      if (content === DW_LNCT_path) path = String(value);
      else if (content === DW_LNCT_directory_index) directory = Number(value);
    }
    return { path, directory };
  });
}

/** Text, a number, or 0 for data that are skipped (checksums). */
function readForm(reader: ByteReader, encoding: number, { lineStr, str }: FileNaming): string | number {
  switch (encoding) {
    case form.string:
      return reader.text();
    case form.lineStrp:
      return cString(lineStr, reader.u32());
    case form.strp:
      return cString(str, reader.u32());
    case form.udata:
      return reader.unsignedLeb();
    case form.data1:
      return reader.u8();
    case form.data2:
      return reader.u16();
    case form.data4:
      return reader.u32();
    default:
      reader.skip(skippedBytes(reader, encoding));
      return 0;
  }
}

function skippedBytes(reader: ByteReader, encoding: number): number {
  switch (encoding) {
    case form.data8:
      return 8;
    case form.data16:
      return 16;
    case form.block:
      return reader.unsignedLeb();
    case form.block1:
      return reader.u8();
    case form.block2:
      return reader.u16();
    case form.block4:
      return reader.u32();
    default:
      throw new DwarfError(`form 0x${encoding.toString(16)} in a file table`);
  }
}

/** Folder and name as one path without `.` and resolvable `..` parts. */
export function joinPath(folder: string, name: string): string {
  const path = name.startsWith('/') || /^[A-Za-z]:[\\/]/.test(name) || folder === '' ? name : `${folder}/${name}`;
  const parts: string[] = [];
  for (const [index, part] of path.split('/').entries()) {
    if (part === '.' || (part === '' && index > 0)) continue;
    const last = parts.at(-1);
    if (part === '..' && last !== undefined && last !== '..' && last !== '') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
