/** An ELF of position-independent code as the linker might have placed it otherwise: what a line of flash holds depends on it. */

const HEADER = {
  entry: 24,
  programHeaders: 28,
  sections: 32,
  programSize: 42,
  programs: 44,
  sectionSize: 46,
  sectionCount: 48,
};
const PROGRAM = { virtual: 8, physical: 12 };
const SECTION = { type: 4, address: 12, offset: 16, size: 20, entrySize: 36 };
const SYMBOL = { value: 4, section: 14 };
const SYMBOL_TABLE = 2;
/** Symbols from here on belong to no section. */
const RESERVED_SECTIONS = 0xff00;

/** @param elf 32 bits, little-endian, linked @param bytes added to every address of its sections and symbols @returns a copy */
export function movedElf(elf: Uint8Array, bytes: number): Uint8Array {
  const moved = elf.slice();
  const view = new DataView(moved.buffer);
  const word = (at: number): number => view.getUint32(at, true);
  const half = (at: number): number => view.getUint16(at, true);
  const move = (at: number): void => {
    view.setUint32(at, word(at) + bytes, true);
  };
  move(HEADER.entry);
  for (let program = 0; program < half(HEADER.programs); program++) {
    const at = word(HEADER.programHeaders) + program * half(HEADER.programSize);
    move(at + PROGRAM.virtual);
    move(at + PROGRAM.physical);
  }
  for (let section = 0; section < half(HEADER.sectionCount); section++) {
    const at = word(HEADER.sections) + section * half(HEADER.sectionSize);
    if (word(at + SECTION.address) !== 0) move(at + SECTION.address);
    if (word(at + SECTION.type) !== SYMBOL_TABLE) continue;
    const first = word(at + SECTION.offset);
    for (let symbol = first; symbol < first + word(at + SECTION.size); symbol += word(at + SECTION.entrySize)) {
      const owner = half(symbol + SYMBOL.section);
      if (owner !== 0 && owner < RESERVED_SECTIONS) move(symbol + SYMBOL.value);
    }
  }
  return moved;
}
