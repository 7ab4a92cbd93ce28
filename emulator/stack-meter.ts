/**
 * Stack high-water mark by painting: the free stack is filled with a pattern before a run, and the lowest word that lost it tells how
 * deep the stack went. Needs no help from the firmware; a frame that is reserved but never written is not seen.
 */
import type { SymbolTable } from './image.ts';
import type { MemoryMap } from './memory-map.ts';

const PAINT = 0xa5;

export class StackMeter {
  private readonly memory: MemoryMap;
  private readonly symbols: SymbolTable;
  private painted: { readonly bottom: number; readonly top: number } | null = null;

  constructor(memory: MemoryMap, symbols: SymbolTable) {
    this.memory = memory;
    this.symbols = symbols;
  }

  /** Initial stack pointer: __stack_top, else the vector table's first word if it points into RAM, else the end of RAM. */
  top(): number {
    const symbol = this.symbols.find('__stack_top') ?? this.symbols.find('__StackTop') ?? this.symbols.find('_estack');
    if (symbol !== null) return (symbol.address & ~7) >>> 0;
    const ram = this.memory.firstOf('ram');
    const initial = this.memory.readWord(this.memory.vectorTable());
    const inRam = initial > ram.start && initial <= ram.start + ram.bytes;
    return inRam ? (initial & ~7) >>> 0 : ram.start + ram.bytes;
  }

  /** Lowest address the stack may use: __stack_limit, else the end of .bss and of everything else the symbols place in that RAM. */
  bottom(top: number): number {
    const limit = this.symbols.find('__stack_limit') ?? this.symbols.find('__StackLimit');
    if (limit !== null && limit.address < top) return limit.address;
    const ram = this.memory.firstOf('ram');
    let bottom = ram.start;
    for (const symbol of this.symbols.all) {
      const end = symbol.address + symbol.bytes;
      if (symbol.address >= ram.start && end < top && symbol.kind !== 'function') bottom = Math.max(bottom, end);
    }
    return (bottom + 3) & ~3;
  }

  /** Fills the free stack below `top`, at most `bytesMax`; nothing happens if the stack does not lie in RAM. */
  paint(top: number, bytesMax = Infinity): void {
    const ram = this.memory.firstOf('ram');
    this.painted = null;
    const bottom = Math.max(this.bottom(top), top - bytesMax);
    if (top > ram.start + ram.bytes || bottom >= top || bottom < ram.start) return;
    this.memory.view(bottom, top - bottom).fill(PAINT);
    this.painted = { bottom, top };
  }

  /**
   * Bytes of stack used since paint(), or null if there was no stack to paint. The longest untouched run of the painted range is what
   * separates the stack above from a heap that may have grown below.
   */
  usedBytes(): number | null {
    if (this.painted === null) return null;
    const { bottom, top } = this.painted;
    const bytes = this.memory.view(bottom, top - bottom);
    let longest = 0;
    let stackStart = 0;
    let run = 0;
    for (let i = 0; i < bytes.length; i++) {
      run = bytes[i] === PAINT ? run + 1 : 0;
      if (run > longest) {
        longest = run;
        stackStart = i + 1;
      }
    }
    return (bytes.length - stackStart + 3) & ~3;
  }
}
