/** Sections of an ELF file by name, for what program headers do not tell: debug data, and where data without symbols lies. */
import { UserError } from '../../common/errors.ts';
import { cString, isElf, readElfHeaders, sectionType, type SectionHeader } from '../elf-headers.ts';

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
  if (!isElf(file)) return [];
  const headers = readElfHeaders(file);
  if (headers === null) throw damaged(name, 'its section headers do not fit the file');
  const contents = (header: SectionHeader | undefined): Uint8Array => {
    if (header === undefined || header.type === sectionType.noBits) return new Uint8Array(0);
    const end = header.offset + header.bytes;
    if (end > file.length) throw damaged(name, `a section needs bytes up to ${end} of ${file.length}`);
    return file.subarray(header.offset, end);
  };
  const names = contents(headers.sections[headers.namesIndex]);
  return headers.sections.map((header) => ({
    name: cString(names, header.name),
    address: header.address,
    bytes: header.bytes,
    flags: header.flags,
    data: contents(header),
  }));
}

function damaged(name: string, why: string): UserError {
  return new UserError(`${name}: damaged ELF file (${why}); link it again`);
}
