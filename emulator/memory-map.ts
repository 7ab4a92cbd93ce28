/** The board's memories as the host sees them: reads, writes and views by guest address. */
import { assert, UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import type { Board, MemoryRegion } from '../boards/schema.ts';
import type { Cpu } from './cpu/cpu.ts';
import { bootRom } from './peripherals/rp2040/boot-rom.ts';

const PAGE_BYTES = 4096;
const ERASED = 0xff;
const roms = { rp2040: bootRom } as const;
const romRegion: MemoryRegion = { name: 'ROM', kind: 'flash', start: 0, bytes: 16384 };

export class MemoryMap {
  /** Takes the stores of a program to flash; false: a fault. */
  onFlashStore: (address: number, bytes: number, value: number) => boolean = () => false;
  /**
   * The flash controller has changed the flash. What stood there may have been run and is to be translated anew; erased bytes nobody has run
   * without a fault, so that there is no hurry, and to program an image is not slow.
   */
  onFlashChange: (wasErased: boolean) => void = () => undefined;
  private readonly board: Board;
  private readonly regions: readonly { readonly region: MemoryRegion; readonly bytes: Uint8Array }[];

  /** Maps every memory of the board into the engine; regions are rounded up to pages there, but not here. */
  constructor(board: Board, cpu: Cpu) {
    this.board = board;
    this.regions = [...board.memory, ...(board.rom === undefined ? [] : [romRegion])].map((region) => {
      const bytes = cpu.mapMemory({
        start: region.start,
        bytes: Math.ceil(region.bytes / PAGE_BYTES) * PAGE_BYTES,
        writable: region.kind === 'ram',
        store: (address, count, value) => this.onFlashStore(address, count, value),
      });
      // Erased flash reads as ones, and a jump into it is an undefined instruction at once.
      if (region.kind === 'flash') bytes.fill(ERASED);
      return { region, bytes };
    });
    if (board.rom !== undefined) this.write(romRegion.start, roms[board.rom]());
    mapConstants(board, cpu);
  }

  /** Copies bytes out of flash or RAM. */
  read(address: number, bytes: number): Uint8Array {
    return this.view(address, bytes).slice();
  }

  /** Copies bytes into flash or RAM; code that has been overwritten is translated anew. */
  write(address: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.view(address, bytes.length).set(bytes);
  }

  readWord(address: number): number {
    const view = this.view(address, 4);
    return new DataView(view.buffer, view.byteOffset, 4).getUint32(0, true);
  }

  /** The guest's own bytes, not a copy. @throws UserError when they lie outside the board's memory. */
  view(address: number, bytes: number): Uint8Array {
    const view = this.tryView(address, bytes);
    if (view !== null) return view;
    throw new UserError(`${bytes} bytes at ${hex32(address)} lie outside the memory of board ${this.board.name}`);
  }

  /** As view(), but null when the bytes lie outside the board's memory. */
  tryView(address: number, bytes: number): Uint8Array | null {
    for (const { region, bytes: memory } of this.regions) {
      const offset = address - region.start;
      if (offset >= 0 && offset + bytes <= region.bytes) return memory.subarray(offset, offset + bytes);
    }
    return null;
  }

  /** As a bus master of the chip writes: false where no RAM is. */
  tryWriteRam(address: number, bytes: Uint8Array): boolean {
    return this.tryWrite('ram', address, bytes);
  }

  /** As a flash controller writes: false where no flash is. */
  tryWriteFlash(address: number, bytes: Uint8Array): boolean {
    const wasErased = this.tryView(address, bytes.length)?.every((byte) => byte === ERASED) ?? false;
    const isFlash = this.tryWrite('flash', address, bytes);
    if (isFlash) this.onFlashChange(wasErased);
    return isFlash;
  }

  /** The kind of memory that holds all of the bytes, or null. */
  kindAt(address: number, bytes: number): MemoryRegion['kind'] | null {
    const holds = ({ region }: { region: MemoryRegion }): boolean =>
      address >= region.start && address + bytes <= region.start + region.bytes;
    return this.regions.find(holds)?.region.kind ?? null;
  }

  private tryWrite(kind: MemoryRegion['kind'], address: number, bytes: Uint8Array): boolean {
    const isThere = this.kindAt(address, bytes.length) === kind;
    if (isThere) this.write(address, bytes);
    return isThere;
  }

  /** All that is mapped, in the order of the board's memories, rounded up to pages. */
  mapped(): readonly { readonly bytes: Uint8Array; readonly readOnly: boolean }[] {
    return this.regions.map(({ region, bytes }) => ({ bytes, readOnly: region.kind === 'flash' }));
  }

  /** Address of the image's vector table. */
  vectorTable(): number {
    return this.board.vectorTable ?? this.firstOf('flash').start;
  }

  /** A word of the table that the core starts with, which is that of a ROM where there is one: 0 the stack pointer, 1 the reset vector. */
  vector(index: number): number {
    return this.readWord((this.board.rom === undefined ? this.vectorTable() : romRegion.start) + 4 * index);
  }

  firstOf(kind: MemoryRegion['kind']): MemoryRegion {
    const found = this.board.memory.find((region) => region.kind === kind);
    assert(found !== undefined, `board ${this.board.name} has no ${kind}`);
    return found;
  }
}

/** What the chip's maker wrote: whole pages are mapped, erased but for the words given. */
function mapConstants({ constants }: Board, cpu: Cpu): void {
  const pages = new Map<number, Uint8Array>();
  for (const { start, words } of constants) {
    for (const [index, word] of words.entries()) {
      const address = start + index * 4;
      const first = address - (address % PAGE_BYTES);
      let page = pages.get(first);
      if (page === undefined) {
        page = cpu.mapMemory({ start: first, bytes: PAGE_BYTES, writable: false });
        page.fill(ERASED);
        pages.set(first, page);
      }
      new DataView(page.buffer, page.byteOffset).setUint32(address - first, Number(word), true);
    }
  }
}
