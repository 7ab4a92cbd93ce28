/** Extra cycles of fetches and reads in translated code: looked up in the table of timing-memo.ts, which is filled where nothing is found. */
import { dataField, type DataLines } from '../../../timing/data-lines.ts';
import type { Block } from '../block.ts';
import type { Part, Region } from '../guest-memory.ts';
import { emitReplace } from './data-lookup.ts';
import { INSTRUCTION_BITS, local } from './locals.ts';
import {
  ENTRY_SHIFT,
  entryWord,
  EXTRA_BIT,
  STATE_OFFSET,
  STATE_SHIFT,
  WAY_MASK,
  type FetchEvent,
  type TimingMemo,
  type TimingSite,
} from './timing-memo.ts';
import type { WasmWriter } from './wasm-writer.ts';

/** Number that the imported function of software floating point takes for TimingMemo.advance. */
export const ADVANCE = 1 << 16;
const IMPORTED_FUNCTION = 0;
const LOOKUP_FUNCTION = 1;

/** What translated code needs to count the time of memories. */
export interface TimedMemory {
  readonly memo: TimingMemo;
  readonly lines: DataLines;
  /** Where the words of `lines` are. */
  readonly linesAt: number;
  /** The memory that `lines` are of. */
  readonly region: Region;
  /** Most extra cycles of one line or access. */
  readonly extraMax: number;
  readonly lineBytes: number;
}

export class TimingEmitter {
  private readonly w: WasmWriter;
  private readonly timed: TimedMemory;
  private fetches: FetchEvent[] = [];
  private block = '';

  constructor(w: WasmWriter, timed: TimedMemory) {
    this.w = w;
    this.timed = timed;
  }

  /** Whether reads of a memory may take longer. */
  times({ start }: Part): boolean {
    const { region } = this.timed;
    return start >= region.start && start - region.start < region.bytes;
  }

  begin(): void {
    const { w } = this;
    w.const(0);
    w.memory('i32.load', STATE_OFFSET);
    w.set(local.timing);
  }

  end(): void {
    const { w } = this;
    w.const(0);
    w.get(local.timing);
    w.memory('i32.store', STATE_OFFSET);
  }

  /** @param state of the pipeline */
  startBlock({ start, end }: Block, state: number): void {
    this.fetches = [];
    this.block = [start, end, state].join(' ');
  }

  /** @param at constant cycles of the block before it */
  instruction({ address, size }: { readonly address: number; readonly size: number }, at: number): void {
    this.fetches.push({ address, bytes: size, at });
  }

  /** In front of the current instruction, for a way out that JavaScript completes. */
  siteBefore(at: number): TimingSite {
    return { ...this.here(at, 'inside'), count: this.fetches.length - 1 };
  }

  /** Up to here all that has been fetched, and `besides`, is in the counters. */
  pass(at: number, kind: TimingSite['kind'], besides = 0): void {
    const site = this.timed.memo.site(this.block, { ...this.here(at, kind), besides });
    const { w } = this;
    w.get(local.timing);
    w.const(STATE_SHIFT);
    w.op('i32.shl');
    w.set(local.timingEntry);
    this.look((site & WAY_MASK) << ENTRY_SHIFT, () => {
      w.const(site);
    });
  }

  /** As pass(), with cycles from 0 to `most` in local.work that the counters have already. */
  passWith(at: number, most: number, besides: number): void {
    const site = this.timed.memo.site(this.block, { ...this.here(at, 'inside'), besides }, most);
    const { w } = this;
    w.get(local.timing);
    w.const(STATE_SHIFT);
    w.op('i32.shl');
    w.get(local.work);
    w.const(site);
    w.op('i32.add');
    w.tee(local.address);
    w.const(WAY_MASK);
    w.op('i32.and');
    w.const(ENTRY_SHIFT);
    w.op('i32.shl', 'i32.add');
    w.set(local.timingEntry);
    this.look(0, () => {
      w.get(local.address);
    });
  }

  /** A load. Its place in the WebAssembly memory, without `offset`, is on the stack and stays there. @param at constant cycles before the instruction */
  read(offset: number, isSurelyTimed: boolean, at: number): void {
    const { w } = this;
    const { region, lines } = this.timed;
    w.tee(local.work);
    w.get(local.work);
    w.const(offset - region.offset);
    w.op('i32.add');
    w.set(local.work);
    if (!isSurelyTimed) {
      w.get(local.work);
      w.const(region.bytes);
      w.op('i32.lt_u');
      w.open('if');
    }
    w.get(local.work);
    w.const(lines.lineShift);
    w.op('i32.shr_u');
    w.tee(local.work);
    this.lookUp(at);
    if (!isSurelyTimed) w.end();
  }

  /** A load from a constant place. */
  readAt(place: number, at: number): void {
    const { region, lines } = this.timed;
    if (place < region.offset || place >= region.offset + region.bytes) return;
    const { w } = this;
    w.const((place - region.offset) >>> lines.lineShift);
    w.tee(local.work);
    this.lookUp(at);
  }

  /** The line is in local.work and on the stack. A line that is in no cache is read here, all others are looked for by DataLookup. */
  private lookUp(at: number): void {
    const { w } = this;
    const { lines, linesAt } = this.timed;
    w.const(0);
    w.memory('i32.load', linesAt + dataField.last * 4);
    w.op('i32.ne');
    w.open('if');
    w.const(0);
    w.get(local.work);
    w.memory('i32.store', linesAt + dataField.last * 4);
    if (lines.isCached) {
      w.get(local.work);
      w.memory('i32.load8_u', linesAt + lines.wordBytes);
      w.open('if');
      w.get(local.work);
      w.const(0);
      w.call(LOOKUP_FUNCTION);
      w.op('drop');
      w.else();
      const { headAt, way, old } = { headAt: local.timingEntry, way: local.address, old: local.lineOut };
      emitReplace(w, lines, linesAt, { line: local.work, headAt, way, old });
      this.pass(at, 'miss');
      w.end();
    } else {
      this.pass(at, 'miss');
    }
    w.end();
  }

  private here(at: number, kind: TimingSite['kind']): TimingSite {
    return { fetches: this.fetches, count: this.fetches.length, at, besides: 0, kind };
  }

  /** Goes on as the entry says that local.timingEntry points to. @param site leaves the site's number on the stack */
  private look(offset: number, site: () => void): void {
    const { w } = this;
    const entry = this.timed.memo.table + offset;
    w.get(local.timingEntry);
    w.memory('i32.load', entry + entryWord.site);
    site();
    w.const(1);
    w.op('i32.add', 'i32.ne');
    w.open('if');
    w.const(ADVANCE);
    w.get(local.timing);
    site();
    w.const(0);
    w.call(IMPORTED_FUNCTION);
    w.op('drop');
    w.end();
    w.get(local.counters);
    w.get(local.timingEntry);
    w.memory('i32.load', entry + entryWord.result);
    w.tee(local.timing);
    w.const(EXTRA_BIT);
    w.op('i32.shr_u', 'i64.extend_i32_u');
    w.wide(INSTRUCTION_BITS);
    w.op('i64.shl', 'i64.add');
    w.set(local.counters);
    w.get(local.timing);
    w.const(2 ** EXTRA_BIT - 1);
    w.op('i32.and');
    w.set(local.timing);
  }
}
