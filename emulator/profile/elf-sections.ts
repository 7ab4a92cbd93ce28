/** Section headers of a 32-bit little-endian ELF file (System V ABI, chapter 4), for what program headers do not tell: names and debug data. */
import { UserError } from '../../common/errors.ts';

const HEADER_BYTES = 52;
const SECTION_HEADER_BYTES = 40;
const SHT_NOBITS = 8;
export const sectionFlag = { alloc: 2, execute: 4, compressed: 0x800 } as const;

export interface ElfSection {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  readonly flags: number;
  /** Empty for sections without contents in the file. */
  readonly data: Uint8Array;
}

/** @returns the sections, none if the file is no ELF file. @throws UserError on headers that do not fit the file */
export function readSections(file: Uint8Array, name: string): ElfSection[] {
  if (file.length < HEADER_BYTES || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46)
    return [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const offset = view.getUint32(32, true);
  const entryBytes = view.getUint16(46, true);
  const count = view.getUint16(48, true);
  const namesIndex = view.getUint16(50, true);
  if (count === 0) return [];
  if (entryBytes < SECTION_HEADER_BYTES || offset + count * entryBytes > file.length || namesIndex >= count)
    throw damaged(name, 'its section headers do not fit the file');
  const headers = Array.from({ length: count }, (_, index) => readHeader(view, offset + index * entryBytes));
  for (const header of headers)
    if (header.type !== SHT_NOBITS && header.offset + header.bytes > file.length)
      throw damaged(name, `a section needs bytes up to ${header.offset + header.bytes} of ${file.length}`);
  const contents = (header: Header): Uint8Array =>
    header.type === SHT_NOBITS ? new Uint8Array(0) : file.subarray(header.offset, header.offset + header.bytes);
  const names = contents(headers[namesIndex]!);
  return headers.map((header) => ({
    name: cString(names, header.name),
    address: header.address,
    bytes: header.bytes,
    flags: header.flags,
    data: contents(header),
  }));
}

interface Header {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly bytes: number;
}

function readHeader(view: DataView, at: number): Header {
  const word = (offset: number): number => view.getUint32(at + offset, true);
  return { name: word(0), type: word(4), flags: word(8), address: word(12), offset: word(16), bytes: word(20) };
}

/** The zero-terminated text at an offset; empty behind the end. */
export function cString(data: Uint8Array, offset: number): string {
  if (offset >= data.length) return '';
  const end = data.indexOf(0, offset);
  return new TextDecoder().decode(data.subarray(offset, end < 0 ? data.length : end));
}

function damaged(name: string, why: string): UserError {
  return new UserError(`${name}: damaged ELF file (${why}); link it again`);
}
