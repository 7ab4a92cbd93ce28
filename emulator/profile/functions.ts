/**
 * Which function an address belongs to, and what is counted per function. Functions come from the symbol table; where it is silent
 * (stripped images, .hex, .bin) every address that is called begins a function of its own.
 */
import { hex32 } from '../../common/units.ts';
import type { SymbolTable } from '../image.ts';

/** How far assembly without .size is believed to reach when no other function follows; as in SymbolTable. */
const UNSIZED_BYTES = 1024;

export interface ProfiledFunction {
  readonly index: number;
  readonly name: string;
  /** Code from `start` up to `end`, exclusive; both -1 for time that is no function's. */
  readonly start: number;
  readonly end: number;
  readonly hasSymbol: boolean;
  /** Cycles and instructions of its own instructions. */
  self: number;
  instructions: number;
  calls: number;
  /** Cycles from entry to exit, callees included; recursive activations counted once, other contexts (interrupts, threads) not at all. */
  total: number;
  /** Largest stack its own frame took, in bytes. */
  frameBytes: number;
  /** Open activations by context. */
  readonly active: number[];
}

interface Extent {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export class FunctionTable {
  readonly all: ProfiledFunction[] = [];
  private readonly extents: readonly Extent[];
  private readonly byStart = new Map<number, ProfiledFunction>();
  private readonly byName = new Map<string, ProfiledFunction>();

  constructor(symbols: SymbolTable) {
    const sorted = symbols.all
      .filter((symbol) => symbol.kind === 'function')
      .sort((a, b) => a.address - b.address || b.bytes - a.bytes);
    // Several names of one address (weak handlers): the first stands for all.
    const distinct = sorted.filter((symbol, index) => symbol.address !== sorted[index - 1]?.address);
    this.extents = distinct.map(({ name, address, bytes }, index) => ({
      name,
      start: address,
      end: Math.min(distinct[index + 1]?.address ?? Infinity, address + (bytes === 0 ? UNSIZED_BYTES : bytes)),
    }));
  }

  /** The function at an address; one without symbol begins there and reaches to the next that has one. */
  at(address: number): ProfiledFunction {
    const known = this.byStart.get(address);
    if (known !== undefined) return known;
    const index = this.extentIndex(address);
    const extent = this.extents[index];
    if (extent !== undefined && address < extent.end)
      return this.byStart.get(extent.start) ?? this.add(extent.name, extent.start, extent.end, true);
    const end = this.extents[index + 1]?.start ?? 2 ** 32;
    return this.add(hex32(address), address, end, false);
  }

  /** The function with a symbol at an address that at() or addUnreached() has met. */
  find(address: number): ProfiledFunction | null {
    const extent = this.extents[this.extentIndex(address)];
    return extent !== undefined && address < extent.end ? (this.byStart.get(extent.start) ?? null) : null;
  }

  /** Time of the core that no function spends, such as sleep. */
  pseudo(name: string): ProfiledFunction {
    return this.byName.get(name) ?? this.add(name, -1, -1, false);
  }

  /** Every function symbol has an entry afterwards, also those never reached. */
  addUnreached(): void {
    for (const { name, start, end } of this.extents) if (!this.byStart.has(start)) this.add(name, start, end, true);
  }

  private add(name: string, start: number, end: number, hasSymbol: boolean): ProfiledFunction {
    const counts = { self: 0, instructions: 0, calls: 0, total: 0, frameBytes: 0 };
    const added = { index: this.all.length, name, start, end, hasSymbol, ...counts, active: [] };
    this.all.push(added);
    if (start >= 0) this.byStart.set(start, added);
    else this.byName.set(name, added);
    return added;
  }

  /** Index of the last extent that begins at or before the address, or -1. */
  private extentIndex(address: number): number {
    let low = 0;
    let high = this.extents.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.extents[middle]?.start ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
