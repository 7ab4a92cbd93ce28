/** Memory accesses summed up by what lies at the address: data symbol, stack, literals in code, section, peripheral. */
import { hex32 } from '../../common/units.ts';
import type { Board } from '../../boards/schema.ts';
import type { ImageSymbol, SymbolTable } from '../image.ts';
import { sectionFlag, type ElfSection } from './elf-sections.ts';
import type { DataCounts } from './profiler.ts';
import type { ShadowStack } from './shadow-stack.ts';

export interface HeatRow {
  readonly name: string;
  readonly kind: 'data' | 'stack' | 'code' | 'section' | 'peripheral' | 'memory';
  /** Lowest address accessed. */
  readonly address: number;
  reads: number;
  writes: number;
  readBytes: number;
  writtenBytes: number;
}

export interface HeatInput {
  readonly data: DataCounts;
  readonly symbols: SymbolTable;
  /** Empty when the image is no ELF file. */
  readonly sections: readonly ElfSection[];
  readonly board: Board;
  readonly contexts: readonly ShadowStack[];
}

/** Blocks of the private peripheral bus (DDI 0403E B3.1.1, C1). The first that covers an address counts. */
const CORE_BLOCKS = [
  { name: 'ITM', start: 0xe000_0000, end: 0xe000_1000 },
  { name: 'DWT', start: 0xe000_1000, end: 0xe000_2000 },
  { name: 'FPB', start: 0xe000_2000, end: 0xe000_3000 },
  { name: 'SysTick', start: 0xe000_e010, end: 0xe000_e020 },
  { name: 'NVIC', start: 0xe000_e100, end: 0xe000_ed00 },
  { name: 'MPU', start: 0xe000_ed90, end: 0xe000_edf0 },
  { name: 'SCB', start: 0xe000_e000, end: 0xe000_f000 },
  { name: 'TPIU', start: 0xe004_0000, end: 0xe004_1000 },
] as const;
/** Peripherals nobody names are told apart by blocks of this size. */
const PERIPHERAL_BYTES = 1024;
const UART_BYTES = 1024;

type Place = Pick<HeatRow, 'name' | 'kind'>;

/** @returns rows by descending bytes moved */
export function memoryHeat(input: HeatInput): HeatRow[] {
  const rows = new Map<string, HeatRow>();
  const objects = new ObjectIndex(input.symbols);
  const rowAt = (address: number): HeatRow => {
    const { name, kind } = placeOf(address, objects, input);
    const key = `${kind} ${name}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const row = { name, kind, address, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 };
    rows.set(key, row);
    return row;
  };
  const { data } = input;
  for (const [address, count] of data.reads.entries()) {
    const row = rowAt(address);
    row.reads += count;
    row.readBytes += data.readBytes.get(address);
  }
  for (const [address, count] of data.writes.entries()) {
    const row = rowAt(address);
    row.writes += count;
    row.writtenBytes += data.writtenBytes.get(address);
  }
  const moved = (row: HeatRow): number => row.readBytes + row.writtenBytes;
  return [...rows.values()].sort((a, b) => moved(b) - moved(a) || a.address - b.address);
}

function placeOf(address: number, objects: ObjectIndex, { symbols, sections, board, contexts }: HeatInput): Place {
  const object = objects.at(address);
  if (object !== null) return { kind: 'data', name: object.name };
  const stack = contexts.find((context) => address >= context.stackLow && address < context.stackHigh);
  if (stack !== undefined) return { kind: 'stack', name: `stack of ${stack.name}` };
  const fn = symbols.functionAt(address);
  if (fn !== null) return { kind: 'code', name: `literals in ${fn.name}` };
  const section = sections.find(
    (one) => (one.flags & sectionFlag.alloc) !== 0 && address >= one.address && address < one.address + one.bytes,
  );
  if (section !== undefined) return { kind: 'section', name: section.name };
  const memory = board.memory.find((region) => address >= region.start && address < region.start + region.bytes);
  if (memory !== undefined) return { kind: 'memory', name: `${memory.name}, no symbol` };
  return { kind: 'peripheral', name: peripheralName(address, board) };
}

function peripheralName(address: number, { uart }: Board): string {
  const block = CORE_BLOCKS.find(({ start, end }) => address >= start && address < end);
  if (block !== undefined) return block.name;
  if (uart !== null && address >= uart.base && address < uart.base + UART_BYTES) return 'UART';
  return `peripheral at ${hex32(address - (address % PERIPHERAL_BYTES))}`;
}

/** Data symbols by address; of several at one place the largest. */
class ObjectIndex {
  private readonly objects: readonly ImageSymbol[];

  constructor(symbols: SymbolTable) {
    this.objects = symbols.all
      .filter((symbol) => symbol.kind === 'object' && symbol.bytes > 0)
      .sort((a, b) => a.address - b.address || a.bytes - b.bytes);
  }

  at(address: number): ImageSymbol | null {
    let low = 0;
    let high = this.objects.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.objects[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.objects[low - 1];
    return symbol !== undefined && address < symbol.address + symbol.bytes ? symbol : null;
  }
}
