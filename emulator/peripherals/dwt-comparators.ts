/**
 * The comparators of the DWT that stop the core: accesses to data and, for single instructions, the program counter. Armv7-M and v6-M put
 * the size of what is compared into MASK (DDI 0403E C1.8.15), v8-M into DATAVSIZE (DDI 0553B D1.2). Compared data values, cycle counts and
 * limits, and what only makes trace packets, are not modelled.
 */
import type { Watchpoint } from '../exceptions/debug-events.ts';
import { RegisterFile } from './peripheral.ts';

export interface DwtFormat {
  readonly isV8: boolean;
  readonly comparators: number;
}

const MATCHED = 1 << 24;
const LNK1ENA = 1 << 9;
const DATAVMATCH = 1 << 8;
const CYCMATCH = 1 << 7;
/** Armv8-M: ACTION is a debug event. */
const ACTION_DEBUG = 1 << 4;
/** FUNCTION as written: v7-M FUNCTION, EMITRANGE, CYCMATCH, DATAVMATCH, DATAVSIZE, DATAVADDR; v8-M MATCH, ACTION, DATAVSIZE. */
const V7_WRITABLE = 0x000f_fdaf;
const V8_WRITABLE = 0x0000_0c3f;
/** Armv8-M: ID of a comparator for instruction addresses, data addresses and their values, without limits. */
const V8_ID = 0x5000_0000;

const v7Kinds: ReadonlyMap<number, Watchpoint['on']> = new Map([
  [4, 'instruction'],
  [5, 'read'],
  [6, 'write'],
  [7, 'access'],
]);
const v8Kinds: ReadonlyMap<number, Watchpoint['on']> = new Map([
  [2, 'instruction'],
  [4, 'access'],
  [5, 'write'],
  [6, 'read'],
]);

const COMP = 0;
const MASK = 4;
const FUNCTION = 8;

/** Registers from DWT_COMP0 on; offsets are those from there. */
export class DwtComparators extends RegisterFile {
  private readonly format: DwtFormat;
  /** As bits: comparators that have matched since their FUNCTION was read. */
  private matched = 0;
  private readonly changed: () => void;
  private readonly note: (cause: string) => void;

  /** @param changed something else may be watched for now */
  constructor(format: DwtFormat, changed: () => void, note: (cause: string) => void) {
    super('DWT comparators', 0, 16 * format.comparators, []);
    this.format = format;
    this.changed = changed;
    this.note = note;
  }

  override reset(): void {
    super.reset();
    this.matched = 0;
  }

  override save(): unknown {
    return { registers: super.save(), matched: this.matched };
  }

  override restore(state: unknown): void {
    const { registers, matched } = state as { registers: unknown; matched: number };
    super.restore(registers);
    this.matched = matched;
  }

  override read(offset: number): number | null {
    const [index, register] = [offset >>> 4, offset & 15];
    const { isV8, comparators } = this.format;
    if (index >= comparators) return null;
    switch (register) {
      case COMP:
        return this.get(offset);
      case MASK:
        return isV8 ? null : this.get(offset);
      case FUNCTION: {
        const bit = 1 << index;
        const fixed = isV8 ? V8_ID : index === 1 ? LNK1ENA : 0;
        const value = this.get(offset) | fixed | ((this.matched & bit) === 0 ? 0 : MATCHED);
        this.matched &= ~bit;
        return value >>> 0;
      }
      default:
        return null;
    }
  }

  override write(offset: number, value: number): boolean {
    const [index, register] = [offset >>> 4, offset & 15];
    const { isV8, comparators } = this.format;
    if (index >= comparators || (register === MASK && isV8)) return false;
    switch (register) {
      case COMP:
        super.write(offset, value >>> 0);
        break;
      case MASK:
        super.write(offset, value & 0x1f);
        break;
      case FUNCTION:
        this.matched &= ~(1 << index);
        super.write(offset, value & (isV8 ? V8_WRITABLE : V7_WRITABLE));
        break;
      default:
        return false;
    }
    this.changed();
    return true;
  }

  watchpoints(): Watchpoint[] {
    return Array.from({ length: this.format.comparators }, (_, index) => this.watchpoint(index)).filter(
      (one) => one !== null,
    );
  }

  private watchpoint(index: number): Watchpoint | null {
    const word = this.get(16 * index + FUNCTION);
    const on = this.format.isV8 ? this.kindV8(word, index) : this.kindV7(word, index);
    if (on === null) return null;
    const size = this.format.isV8 ? (word >>> 10) & 3 : this.get(16 * index + MASK);
    if (on === 'instruction' && size > 1) {
      this.note(`DWT comparator ${index} compares a range of instruction addresses, which is not modelled`);
      return null;
    }
    const bytes = on === 'instruction' ? 1 : 2 ** size;
    const compared = this.get(16 * index + COMP);
    const address = on === 'instruction' ? (compared & ~1) >>> 0 : compared - (compared % bytes);
    const onMatch = (): void => {
      this.matched |= 1 << index;
    };
    return { on, address, bytes, onMatch };
  }

  private kindV7(word: number, index: number): Watchpoint['on'] | null {
    const code = word & 15;
    if (code === 0) return null;
    const on = v7Kinds.get(code) ?? null;
    if (on === null || (word & (DATAVMATCH | CYCMATCH)) !== 0) return this.unmodelled(index, word);
    return on;
  }

  private kindV8(word: number, index: number): Watchpoint['on'] | null {
    const code = word & 15;
    if (code === 0) return null;
    const on = v8Kinds.get(code) ?? null;
    return on === null || (word & 0x30) !== ACTION_DEBUG ? this.unmodelled(index, word) : on;
  }

  private unmodelled(index: number, word: number): null {
    this.note(`DWT_FUNCTION${index} is 0x${word.toString(16)}, which is not modelled: the comparator does nothing`);
    return null;
  }
}
