/** Extra cycles of fetches and reads in translated code: every stretch of it ends with a look at what timing-memo.ts knows about it. */
import { assert } from '../../../../common/errors.ts';
import type { DataLines } from '../../../timing/data-lines.ts';
import type { Block, Step } from '../block.ts';
import type { Part, Region } from '../guest-memory.ts';
import { isConditional } from './flag-state.ts';
import { LinesEmitter } from './emit-lines.ts';
import { local } from './locals.ts';
import { PendingReads, spanOf, type Run } from './pending-reads.ts';
import {
  eventBit,
  EVENTS_MAX,
  RECORD_MASK,
  RECORD_SHIFT,
  recordField,
  STATE_SHIFT,
  STATE_OFFSET,
  type FetchEvent,
  type TimingEvent,
  type TimingMemo,
  type TimingSite,
} from './timing-memo.ts';
import type { WasmWriter } from './wasm-writer.ts';

const TIMING_FUNCTION = 1;

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
  private events: TimingEvent[] = [];
  /** Of `events`. */
  private bits = 0;
  private readonly pending: PendingReads;
  private readonly lines: LinesEmitter;
  /** What comes now may not be executed: it is not to be put off. */
  private isConditional = false;
  private block = '';
  /** The block is a loop of its own: its state is mostly that of the pass before. */
  private isLoop = false;

  constructor(w: WasmWriter, timed: TimedMemory) {
    this.w = w;
    this.timed = timed;
    this.pending = new PendingReads(timed.lines.lineShift);
    this.lines = new LinesEmitter(w, timed.lines, timed.linesAt);
  }

  /** Whether reads of a memory may take longer. */
  times({ start }: Part): boolean {
    const { region } = this.timed;
    return start >= region.start && start - region.start < region.bytes;
  }

  begin(): void {
    const { w } = this;
    w.const(0);
    w.memory('i64.load', STATE_OFFSET);
    w.set(local.timing);
  }

  end(): void {
    const { w } = this;
    w.const(0);
    w.get(local.timing);
    w.memory('i64.store', STATE_OFFSET);
  }

  /** @param state of the pipeline */
  startBlock({ start, end, steps }: Block, state: number): void {
    this.isLoop = steps.at(-1)!.instruction.target === start;
    this.fetches = [];
    this.forgetEvents();
    this.block = [start, end, state].join(' ');
  }

  /**
   * @param at constant cycles of the block before it
   * @returns false if it may cause more events than there are bits, at places where no stretch can end
   */
  instruction(step: Step, at: number): boolean {
    const { address, size, divide } = step.instruction;
    let isPossible = true;
    this.isConditional = isConditional(step);
    if (this.isConditional) {
      // What follows is not to depend on whether it is executed.
      const most = eventsMost(step);
      this.settle();
      const isFull = divide !== null || this.bits + most > EVENTS_MAX;
      if (isFull && this.bits > 0) this.pass(at, 'inside');
      isPossible = most <= EVENTS_MAX;
    }
    this.fetches.push({ address, bytes: size, at });
    return isPossible;
  }

  /** In front of the current instruction, for a way out that JavaScript completes. */
  siteBefore(at: number): TimingSite {
    assert(this.pending.bits === 0, 'what has been read is counted before control may leave');
    return { ...this.here(at, 'inside'), count: this.fetches.length - 1 };
  }

  /** The stretch ends: up to here all that has been fetched is in the counters. */
  pass(at: number, kind: TimingSite['kind']): void {
    this.settle();
    const { memo } = this.timed;
    const site = memo.site(this.block, this.here(at, kind));
    const place = memo.records(site);
    if (place === null) {
      this.lookUp(() => {
        this.w.const(site);
      });
    } else {
      this.findRecord(place, site, this.isLoop && kind === 'end');
      this.take(place);
    }
    // Where control goes on in the block, the events before are in the state.
    if (kind === 'inside') this.forgetEvents();
  }

  /** As pass(), with cycles from 0 to `most` in local.work that the counters have already, and `besides` more. */
  passWith(at: number, most: number, besides: number): void {
    assert(this.pending.bits === 0, 'local.work is not needed for lines');
    const site = this.timed.memo.site(this.block, { ...this.here(at, 'inside'), besides }, most);
    this.lookUp(() => {
      this.w.get(local.work);
      this.w.const(site);
      this.w.op('i32.add');
    });
    this.forgetEvents();
  }

  /** Leaves in local.address which of a site's records is the right one; it is filled. */
  private findRecord(place: number, site: number, repeats: boolean): void {
    const { w } = this;
    if (repeats) w.const(0);
    else this.numberOfRecord();
    w.tee(local.address);
    w.memory('i64.load', place + recordField.key);
    w.get(local.timing);
    w.op('i64.ne');
    w.open('if');
    w.get(local.timing);
    w.const(site);
    w.get(local.address);
    w.const(place);
    w.op('i32.add');
    w.call(TIMING_FUNCTION);
    w.op('drop');
    w.end();
  }

  private numberOfRecord(): void {
    const { w } = this;
    w.get(local.timing);
    w.wide(STATE_SHIFT);
    w.op('i64.shr_u');
    if (this.bits > 0) {
      w.get(local.timing);
      w.op('i64.xor');
    }
    w.op('i32.wrap_i64');
    w.const(RECORD_MASK);
    w.op('i32.and');
    w.const(RECORD_SHIFT);
    w.op('i32.shl');
  }

  /** Goes on as the table says. @param site leaves the site's number on the stack */
  private lookUp(site: () => void): void {
    const { w } = this;
    const place = this.timed.memo.sharedRecord;
    w.get(local.timing);
    site();
    w.const(place);
    w.call(TIMING_FUNCTION);
    w.set(local.address);
    this.take(place);
  }

  /** Here the current instruction takes cycles beside the constant ones; the counters have them. */
  besides(at: number, cycles: number): void {
    const { w } = this;
    w.get(local.timing);
    w.wide(eventBit(this.bits));
    w.op('i64.or');
    w.set(local.timing);
    this.events.push({ kind: 'cycles', bit: this.bits++, count: this.fetches.length, at, cycles });
  }

  /**
   * A load, whose line is looked at later.
   * @param base local with its place in the WebAssembly memory, without `offset`; null: 0 @param at constant cycles before the instruction
   */
  read(base: number | null, offset: number, isTimed: boolean, at: number): void {
    const { pending } = this;
    if (this.bits + pending.bits + pending.bitsMore > EVENTS_MAX) this.pass(at, 'inside');
    pending.add({ base, offset, isTimed, place: this.w.place, count: this.fetches.length, at });
    if (this.isConditional) this.settle();
  }

  /**
   * Looks at the lines of all loads so far, before control may leave the block, and before what may not be executed. The code for it goes to the first
   * of the loads: what they have read is not to be kept for long.
   */
  settle(): void {
    const { w, pending } = this;
    const { lineShift } = this.timed.lines;
    const runs = pending.take().map((run) => {
      const { bits: bit } = this;
      this.events.push({ kind: 'reads', bit, lines: pending.linesOf(run), lineShift, reads: run.reads });
      this.bits += pending.bitsOf(run);
      return { run, bit };
    });
    for (const { run, bit } of runs.reverse()) {
      w.insert(run.place, () => {
        this.useLines(run, bit);
      });
    }
  }

  /** @param bit first one of the run's event */
  private useLines(run: Run, bit: number): void {
    const { w } = this;
    const { region } = this.timed;
    if (run.base !== null) w.get(run.base);
    w.const(run.offset - region.offset);
    if (run.base !== null) w.op('i32.add');
    w.set(local.work);
    if (!run.isTimed) {
      w.get(local.work);
      w.const(region.bytes);
      w.op('i32.lt_u');
      w.open('if');
    }
    this.lines.use(spanOf(run), this.pending.linesOf(run), bit);
    if (!run.isTimed) w.end();
  }

  private forgetEvents(): void {
    this.events = [];
    this.bits = 0;
  }

  private here(at: number, kind: TimingSite['kind']): TimingSite {
    return { fetches: this.fetches, events: this.events, count: this.fetches.length, at, besides: 0, kind };
  }

  /** Goes on as the record says that is local.address behind a place. */
  private take(place: number): void {
    const { w } = this;
    w.get(local.address);
    w.memory('i64.load', place + recordField.next);
    w.set(local.timing);
    w.get(local.counters);
    w.get(local.address);
    w.memory('i64.load', place + recordField.extra);
    w.op('i64.add');
    w.set(local.counters);
  }
}

/** Reads of a conditional instruction, and that its condition holds. */
function eventsMost({ body }: Step): number {
  return 1 + (body ?? []).filter(({ k }) => k === 'load').length;
}
