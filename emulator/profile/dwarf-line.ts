/** The line table: which source line every instruction comes from, by running the line-number programs of .debug_line (DWARF 5, 6.2.5). */
import { ByteReader, DwarfError } from './byte-reader.ts';
import { compilationFolders } from './dwarf-folders.ts';
import { readLineHeader, type FileNaming, type LineHeader } from './dwarf-line-header.ts';
import { sectionFlag, type ElfSection } from './elf-sections.ts';

export interface LineRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly file: string;
  readonly line: number;
  /** A recommended place for a breakpoint: the statement begins here, and is not only continued. */
  readonly isStatement: boolean;
  /** First address of the straight piece of code it belongs to; 0 for code that the linker removed. */
  readonly sequenceStart: number;
}

const standard = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  negateStatement: 6,
  basicBlock: 7,
  constAddPc: 8,
  fixedAdvancePc: 9,
  prologueEnd: 10,
  epilogueBegin: 11,
  setIsa: 12,
} as const;
const extended = { endSequence: 1, setAddress: 2, defineFile: 3, setDiscriminator: 4 } as const;

const DWARF64 = 0xffff_ffff;
/** Rows in all: far more than a microcontroller's flash can need, so that a damaged table ends. */
const ROWS_MAX = 4_000_000;

/** @returns ranges in the order of the programs, those without code included (`end` is `start`). @throws DwarfError on damaged or unknown data, or if there is none */
export function readLineTable(sections: readonly ElfSection[]): LineRange[] {
  const data = (name: string): Uint8Array => {
    const section = sections.find((one) => one.name === name);
    if (section !== undefined && (section.flags & sectionFlag.compressed) !== 0)
      throw new DwarfError(`${name} is compressed; build with -gz=none`);
    return section?.data ?? new Uint8Array(0);
  };
  const lines = data('.debug_line');
  if (lines.length === 0) throw new DwarfError('no debug information (.debug_line); build with -g');
  const strings = { lineStr: data('.debug_line_str'), str: data('.debug_str') };
  const folders = compilationFolders({ ...strings, info: data('.debug_info'), abbrev: data('.debug_abbrev') });
  const ranges: LineRange[] = [];
  for (let at = 0; at < lines.length;) at = readUnit(lines, at, { ...strings, folder: folders.get(at) ?? '' }, ranges);
  return ranges;
}

/** @returns where the next unit begins */
function readUnit(lines: Uint8Array, at: number, naming: FileNaming, ranges: LineRange[]): number {
  const length = new ByteReader(lines, at).u32();
  if (length === DWARF64) throw new DwarfError('64-bit DWARF; build without -gdwarf64');
  const reader = new ByteReader(lines, at + 4, at + 4 + length);
  const program = new LineProgram(readLineHeader(reader, naming), ranges);
  while (!reader.isAtEnd) program.step(reader);
  return reader.end;
}

class LineProgram {
  private readonly header: LineHeader;
  private readonly ranges: LineRange[];
  private address = 0;
  private file = 1;
  private line = 1;
  private isStatement: boolean;
  private sequenceStart: number | null = null;
  /** The row before, which reaches to the next one's address. */
  private row: Omit<LineRange, 'end'> | null = null;

  constructor(header: LineHeader, ranges: LineRange[]) {
    this.header = header;
    this.ranges = ranges;
    this.isStatement = header.defaultIsStatement;
  }

  step(reader: ByteReader): void {
    const opcode = reader.u8();
    const { opcodeBase, lineBase, lineRange, minimumInstructionBytes } = this.header;
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      this.address += Math.floor(adjusted / lineRange) * minimumInstructionBytes;
      this.line += lineBase + (adjusted % lineRange);
      this.emit();
    } else if (opcode === 0) this.extendedOpcode(reader);
    else this.standardOpcode(opcode, reader);
  }

  private standardOpcode(opcode: number, reader: ByteReader): void {
    const { opcodeBase, lineRange, minimumInstructionBytes, opcodeOperands } = this.header;
    switch (opcode) {
      case standard.copy:
        this.emit();
        break;
      case standard.advancePc:
        this.address += reader.unsignedLeb() * minimumInstructionBytes;
        break;
      case standard.advanceLine:
        this.line += reader.signedLeb();
        break;
      case standard.setFile:
        this.file = reader.unsignedLeb();
        break;
      case standard.negateStatement:
        this.isStatement = !this.isStatement;
        break;
      case standard.constAddPc:
        this.address += Math.floor((255 - opcodeBase) / lineRange) * minimumInstructionBytes;
        break;
      case standard.fixedAdvancePc:
        this.address += reader.u16();
        break;
      // Columns, blocks, prologues and ISAs are of no use here; nor are opcodes of later versions.
      default:
        for (let i = opcodeOperands[opcode - 1] ?? 0; i > 0; i--) reader.unsignedLeb();
    }
  }

  private extendedOpcode(reader: ByteReader): void {
    const length = reader.unsignedLeb();
    const end = reader.at + length;
    if (length === 0 || end > reader.end) throw new DwarfError('an extended opcode of impossible length');
    switch (reader.u8()) {
      case extended.endSequence:
        this.endRow();
        this.sequenceStart = null;
        this.address = 0;
        this.file = 1;
        this.line = 1;
        this.isStatement = this.header.defaultIsStatement;
        break;
      case extended.setAddress:
        if (length !== 5) throw new DwarfError(`an address of ${length - 1} bytes, 4 expected`);
        this.address = reader.u32();
        break;
      case extended.defineFile:
        this.header.files.push(reader.text());
        break;
      default:
    }
    reader.at = end;
  }

  private emit(): void {
    this.endRow();
    const { address: start, line, isStatement } = this;
    const sequenceStart = (this.sequenceStart ??= start);
    this.row = { start, file: this.header.files[this.file] ?? '', line, isStatement, sequenceStart };
  }

  /** Rows without a line (compiler-made code) or without a file say nothing. */
  private endRow(): void {
    const { row } = this;
    this.row = null;
    if (row === null || this.address < row.start || row.line <= 0 || row.file === '') return;
    if (this.ranges.length >= ROWS_MAX) throw new DwarfError(`more than ${ROWS_MAX} rows`);
    this.ranges.push({ ...row, end: this.address });
  }
}
