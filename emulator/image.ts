/** A firmware image as the machine needs it: bytes to place, symbols, and where the next free flash address would be. */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';

/** How far assembly without .size is believed to reach when no other function follows. */
const UNSIZED_FUNCTION_BYTES = 1024;

export interface Segment {
  /** Where the bytes lie when the chip is flashed (load address). */
  readonly loadAddress: number;
  /** Where they belong while the program runs; start-up code copies .data there. */
  readonly runAddress: number;
  readonly bytes: Uint8Array;
  /** Bytes at the run address, zero-filled behind `bytes`. */
  readonly memoryBytes: number;
}

export interface ImageSymbol {
  readonly name: string;
  /** Without the Thumb bit. */
  readonly address: number;
  readonly bytes: number;
  readonly kind: 'function' | 'object' | 'other';
}

export interface FirmwareFile {
  /** For messages: the file's name. */
  readonly name: string;
  readonly format: 'elf' | 'bin' | 'hex';
  readonly segments: readonly Segment[];
  readonly symbols: SymbolTable;
  /** Where functions take float arguments: FPU or core registers. Absent: the file does not say. */
  readonly floatAbi?: 'hard' | 'soft';
}

export class SymbolTable {
  private readonly byName = new Map<string, ImageSymbol>();
  /** Functions by ascending address. */
  private readonly functions: readonly ImageSymbol[];
  readonly all: readonly ImageSymbol[];

  constructor(symbols: readonly ImageSymbol[]) {
    this.all = symbols;
    for (const symbol of symbols) {
      const known = this.byName.get(symbol.name);
      if (known === undefined || known.kind === 'other') this.byName.set(symbol.name, symbol);
    }
    this.functions = symbols.filter((symbol) => symbol.kind === 'function').sort((a, b) => a.address - b.address);
  }

  find(name: string): ImageSymbol | null {
    return this.byName.get(name) ?? null;
  }

  /** The function an address lies in, or null. */
  functionAt(address: number): ImageSymbol | null {
    let low = 0;
    let high = this.functions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.functions[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.functions[low - 1];
    if (symbol === undefined) return null;
    return address < symbol.address + (symbol.bytes === 0 ? UNSIZED_FUNCTION_BYTES : symbol.bytes) ? symbol : null;
  }

  /** `name+0x12` for an address inside a function, else null. */
  describe(address: number): string | null {
    const symbol = this.functionAt(address);
    if (symbol === null) return null;
    const offset = address - symbol.address;
    return offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  }
}

interface Memory {
  readonly kind: 'flash' | 'ram';
  readonly start: number;
  readonly bytes: number;
}

/** A raw image is placed where the board's flash begins; its vector table must make sense there, or it is some other kind of file. */
export function binaryImage(
  bytes: Uint8Array,
  name: string,
  memory: readonly Memory[],
  vectorTable?: number,
): FirmwareFile {
  const flashStart = memory.find((region) => region.kind === 'flash')?.start ?? 0;
  const vectors = (vectorTable ?? flashStart) - flashStart;
  if (bytes.length < vectors + 8) {
    throw new UserError(
      `${name}: ${bytes.length} bytes are too few for a vector table; a firmware .bin has at least ${vectors + 8}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + vectors, 8);
  const sp = view.getUint32(0, true);
  const reset = view.getUint32(4, true);
  const inside = (kind: Memory['kind'], address: number): boolean =>
    memory.some((region) => region.kind === kind && address >= region.start && address - region.start <= region.bytes);
  if (!inside('ram', sp) || !inside('flash', reset)) {
    throw new UserError(
      `${name}: neither ELF nor Intel HEX, and as a raw image its first words ${hex32(sp)} and ${hex32(reset)} are no stack pointer and reset vector of this board`,
    );
  }
  const segment = { loadAddress: flashStart, runAddress: flashStart, bytes, memoryBytes: bytes.length };
  return { name, format: 'bin', segments: [segment], symbols: new SymbolTable([]) };
}

/** End of what the image itself places in a region of RAM; its start when it places nothing there. */
export function endOfData(image: FirmwareFile, { start, bytes }: { start: number; bytes: number }): number {
  const ends = image.segments
    .filter(({ runAddress }) => runAddress >= start && runAddress < start + bytes)
    .map(({ runAddress, memoryBytes }) => runAddress + memoryBytes);
  return Math.max(start, ...ends);
}

/** Fails when a segment reaches outside the given memories. */
export function checkSegments(
  image: FirmwareFile,
  boardName: string,
  memory: readonly { start: number; bytes: number }[],
): void {
  const inside = (start: number, bytes: number): boolean =>
    memory.some((region) => start >= region.start && start + bytes <= region.start + region.bytes);
  for (const segment of image.segments) {
    const places: [number, number][] = [
      [segment.loadAddress, segment.bytes.length],
      [segment.runAddress, segment.memoryBytes],
    ];
    for (const [start, bytes] of places) {
      if (bytes > 0 && !inside(start, bytes)) {
        throw new UserError(
          `${image.name}: ${bytes} bytes at ${hex32(start)} lie outside the memory of board ${boardName}; build for that board or choose another with --board`,
        );
      }
    }
  }
}
