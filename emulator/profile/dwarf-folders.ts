/**
 * The folder each compilation unit was compiled in, by the place of its line-number program: up to version 4 only .debug_info says it
 * (DW_AT_comp_dir of the unit's first entry; DWARF 5, 3.1.1 and 7.5).
 */
import { ByteReader, DwarfError } from './byte-reader.ts';
import { cString } from '../elf-headers.ts';

const DW_AT_stmt_list = 0x10;
const DW_AT_comp_dir = 0x1b;
const DW_UT_compile = 1;

export interface InfoSections {
  readonly info: Uint8Array;
  readonly abbrev: Uint8Array;
  readonly str: Uint8Array;
  readonly lineStr: Uint8Array;
}

/** @returns folder by offset into .debug_line; units that cannot be understood are left out, their paths stay relative */
export function compilationFolders(sections: InfoSections): Map<number, string> {
  const folders = new Map<number, string>();
  const { info } = sections;
  try {
    for (let at = 0; at < info.length;) {
      const end = at + 4 + new ByteReader(info, at).u32();
      readUnit(new ByteReader(info, at + 4, end), sections, folders);
      at = end;
    }
  } catch (error) {
    if (!(error instanceof DwarfError)) throw error;
  }
  return folders;
}

function readUnit(reader: ByteReader, sections: InfoSections, folders: Map<number, string>): void {
  const version = reader.u16();
  if (version < 2 || version > 5) return;
  let abbrevAt: number;
  if (version >= 5) {
    if (reader.u8() !== DW_UT_compile) return;
    reader.skip(1);
    abbrevAt = reader.u32();
  } else {
    abbrevAt = reader.u32();
    reader.skip(1);
  }
  const attributes = attributesOf(new ByteReader(sections.abbrev, abbrevAt), reader.unsignedLeb());
  let folder = '';
  let lineAt = -1;
  for (const [attribute, form] of attributes) {
    const value = readForm(reader, form, version, sections);
    if (value === null) break;
    if (attribute === DW_AT_comp_dir) folder = String(value);
    else if (attribute === DW_AT_stmt_list) lineAt = Number(value);
  }
  if (folder !== '' && lineAt >= 0) folders.set(lineAt, folder);
}

/** Attributes and forms of an abbreviation; none when it is not in the table. */
function attributesOf(reader: ByteReader, wanted: number): [number, number][] {
  for (let code = reader.unsignedLeb(); code !== 0; code = reader.unsignedLeb()) {
    reader.unsignedLeb();
    reader.skip(1);
    const list: [number, number][] = [];
    for (;;) {
      const attribute = reader.unsignedLeb();
      const form = reader.unsignedLeb();
      // DW_FORM_implicit_const keeps its value here.
      if (form === 0x21) reader.signedLeb();
      if (attribute === 0 && form === 0) break;
      list.push([attribute, form]);
    }
    if (code === wanted) return list;
  }
  return [];
}

/** Text or number; null for a form that a compilation unit's entry does not have. */
function readForm(
  reader: ByteReader,
  form: number,
  version: number,
  { str, lineStr }: InfoSections,
): string | number | null {
  switch (form) {
    case 0x08: // string
      return reader.text();
    case 0x0e: // strp
      return cString(str, reader.u32());
    case 0x1f: // line_strp
      return cString(lineStr, reader.u32());
    case 0x0b: // data1
    case 0x0c: // flag
      return reader.u8();
    case 0x05: // data2
      return reader.u16();
    case 0x01: // addr
    case 0x06: // data4
    case 0x17: // sec_offset
      return reader.u32();
    case 0x07: // data8
      reader.skip(8);
      return 0;
    case 0x0d: // sdata
      return reader.signedLeb();
    case 0x0f: // udata
      return reader.unsignedLeb();
    case 0x19: // flag_present
    case 0x21: // implicit_const
      return version >= 4 ? 1 : null;
    default:
      return null;
  }
}
