/**
 * Exact timing of translated code. All that decides over the extra cycles of fetches (lines in the cache, the prefetch, how long the port is busy, relative
 * to now) is one state, which gets a number. A stretch of code ends with the block, or behind an instruction whose cycles are only known at run time; what
 * happens in it that is not the same every time (a line of data that is not at hand, a condition that holds) is an event with bits beside the state's number.
 * What a stretch does to the state and what it costs is computed by the memory system itself, once for every state, events and stretch. It is looked up
 * afterwards: in the record of the stretch, which keeps what came last, then in a table (timing-lookup.ts).
 */
import type { TranslatableMemory } from '../../../timing/memory-system.ts';
import type { GuestMemory } from '../guest-memory.ts';
import { INSTRUCTION_BITS } from './locals.ts';

/** Where translated code finds and leaves the number of the state, and the events since, in its memory: an i64. */
export const STATE_OFFSET = 640;

/** Numbers of states are from 1 to below this; when there are no more, all are forgotten together. */
const STATES_MAX = 2 ** 15;
/** The state's number is above the bits of the stretch's events. */
export const STATE_SHIFT = 32;
export const EVENTS_MAX = 31;
export const eventBit = (event: number): number => 2 ** event;

/**
 * What is known of a stretch: the state before it and the events in it, 0: nothing; the state afterwards; extra cycles as they are added to the counters;
 * all i64. In the table also the stretch's number.
 */
export const recordField = { key: 0, next: 8, extra: 16, site: 24 } as const;
export const RECORD_SHIFT = 5;
/** Of a stretch, for states whose numbers differ in the last bits: those that follow each other are mostly numbered one after the other. */
const RECORDS_BITS = 3;
export const RECORD_MASK = (1 << RECORDS_BITS) - 1;
const RECORDS_SHIFT = RECORD_SHIFT + RECORDS_BITS;
/** Stretches with records of their own. */
const RECORDS_MAX = 2 ** 13;
export const TABLE_BITS = 16;
const TABLE_BYTES = 1 << (RECORD_SHIFT + TABLE_BITS);
const HASH_FACTOR = 0x9e37_79b1;
/** Behind the memory system's words: fetches of the block that are done, and the constant cycles of the block that have passed. */
const OWN_WORDS = 2;

export interface FetchEvent {
  readonly address: number;
  readonly bytes: number;
  /** Cycles from the start of the block as far as they are constants. */
  readonly at: number;
}

/** A place in a block. */
export interface BlockTime {
  /** Fetches of the block up to it. */
  readonly count: number;
  /** Cycles as in FetchEvent. */
  readonly at: number;
}

/** An instruction that takes more cycles than the constant ones, if its bit is set. */
export interface CyclesEvent extends BlockTime {
  readonly kind: 'cycles';
  readonly bit: number;
  readonly cycles: number;
}

/**
 * Reads of data, each in the line of the one before or in the next line. For every line they may lie in there is a bit, from `bit` on, set if it was not at
 * hand; behind those, where there are several lines, the place in its line of what was read first.
 */
export interface ReadsEvent {
  readonly kind: 'reads';
  readonly bit: number;
  readonly lines: number;
  readonly lineShift: number;
  /** With the bytes from the first one on. */
  readonly reads: readonly (BlockTime & { readonly distance: number })[];
}

export type TimingEvent = CyclesEvent | ReadsEvent;

/** The end of a stretch that begins wherever the state before it says. */
export interface TimingSite {
  readonly fetches: readonly FetchEvent[];
  /** In the order of their bits. */
  readonly events: readonly TimingEvent[];
  /** Fetches of the block up to here. */
  readonly count: number;
  /** Cycles as in FetchEvent. */
  readonly at: number;
  /** Cycles besides, known at run time only. */
  readonly besides: number;
  readonly kind: 'inside' | 'end';
}

export class TimingMemo {
  static readonly storageBytes = TABLE_BYTES + (RECORDS_MAX << RECORDS_SHIFT);
  /** Where the table and the records are. */
  readonly table: number;
  private readonly system: TranslatableMemory;
  private readonly view: DataView;
  private readonly sites: TimingSite[] = [];
  private readonly siteNumbers = new Map<string, number>();
  /** By a hash of their words. */
  private readonly numbers = new Map<number, number[]>();
  private readonly states: Int32Array[] = [];
  /** Results by stretch, then by state and events: two that share a record are not computed again and again. */
  private readonly computed: Map<number, number>[] = [];
  /** The state that has been computed last. */
  private latest: Int32Array;

  /** @param storage place of storageBytes that are 0 */
  constructor(system: TranslatableMemory, memory: GuestMemory, storage: number) {
    this.system = system;
    this.view = memory.view;
    this.table = storage;
    this.latest = new Int32Array(0);
    this.clear();
  }

  /** The first of the numbers of sites whose `besides` count up, `more` of them after the first. @param block stands for its fetches */
  site(block: string, first: TimingSite, more = 0): number {
    const { count, at, besides, kind, events } = first;
    let name = `${block} ${count} ${at} ${besides} ${kind} ${more}`;
    for (const event of events) name += ` ${JSON.stringify(event)}`;
    const known = this.siteNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.sites.push(first) - 1;
    this.siteNumbers.set(name, number);
    for (let step = 1; step <= more; step++) this.sites.push({ ...first, besides: besides + step });
    return number;
  }

  /** Place of a site's records; null: it has none. */
  records(site: number): number | null {
    return site < RECORDS_MAX - 1 ? this.table + TABLE_BYTES + ((site + 1) << RECORDS_SHIFT) : null;
  }

  /** Place of a record for sites that have none, only to be read when it has been written. */
  get sharedRecord(): number {
    return this.table + TABLE_BYTES;
  }

  /** Before translated code runs. @param now cycle counter */
  enter(now: number): void {
    this.system.dataLines.windBack();
    this.keep(now, 0, 0);
    if (this.isFull) this.forget();
    this.view.setUint32(STATE_OFFSET, 0, true);
    this.view.setUint32(STATE_OFFSET + 4, this.numberOfLatest(), true);
  }

  /**
   * After it: the memory system is up to date again. Returns the extra cycles of the last stretch where the way out is inside a block.
   * @param site of that way out @param now cycle counter without them
   */
  leave(site: TimingSite | null, now: number): number {
    const key = this.key();
    if (site === null) {
      this.system.restoreFetches(this.stateOf(key), now);
      return 0;
    }
    const extra = this.replay(key, site);
    this.system.restoreFetches(this.latest, now + extra);
    return extra;
  }

  /** Called by translated code: fills the record of the table at a place, for the state and the events at STATE_OFFSET. @param site number */
  advance(record: number, site: number): void {
    const key = this.key();
    const known = (this.computed[site] ??= new Map<number, number>());
    let result = known.get(key);
    const mustForget = result === undefined && this.isFull;
    if (result === undefined) {
      const extra = this.replay(key, this.sites[site]!);
      if (mustForget) this.forget();
      result = extra * STATES_MAX + this.numberOfLatest();
      if (!mustForget) known.set(key, result);
    }
    const { view } = this;
    const next = result % STATES_MAX;
    const extra = (result - next) / STATES_MAX;
    // The number of a state that has been forgotten may be another's by now.
    view.setBigInt64(record + recordField.key, BigInt(mustForget ? 0 : key), true);
    view.setBigInt64(record + recordField.next, BigInt(next) << BigInt(STATE_SHIFT), true);
    view.setBigInt64(record + recordField.extra, BigInt(extra) << BigInt(INSTRUCTION_BITS), true);
    view.setUint32(record + recordField.site, site, true);
  }

  /** The memory is set up in another way, or the code is another. */
  clear(): void {
    this.latest = new Int32Array(this.system.fetchWords + OWN_WORDS);
    this.forget();
    this.sites.length = 0;
    this.siteNumbers.clear();
  }

  /** Code has changed: its blocks are not those of the same name before. */
  forgetSites(): void {
    this.siteNumbers.clear();
  }

  private get isFull(): boolean {
    return this.states.length + 1 >= STATES_MAX;
  }

  private forget(): void {
    if (this.states.length > 0) new Uint8Array(this.view.buffer, this.table, TimingMemo.storageBytes).fill(0);
    this.numbers.clear();
    this.computed.length = 0;
    this.states.length = 0;
  }

  private key(): number {
    return this.view.getUint32(STATE_OFFSET, true) + this.view.getUint32(STATE_OFFSET + 4, true) * 2 ** 32;
  }

  private stateOf(key: number): Int32Array {
    return this.states[Math.floor(key / 2 ** STATE_SHIFT) - 1]!;
  }

  private numberOfLatest(): number {
    const { latest, states, numbers } = this;
    let hash = 0;
    for (const word of latest) hash = Math.imul(hash ^ word, HASH_FACTOR) ^ (hash >>> 15);
    const alike = numbers.get(hash);
    const known = alike?.find((number) => isSame(states[number - 1]!, latest));
    if (known !== undefined) return known;
    const number = states.push(latest.slice());
    if (alike === undefined) numbers.set(hash, [number]);
    else alike.push(number);
    return number;
  }

  private keep(now: number, count: number, at: number): void {
    const { latest, system } = this;
    system.saveFetches(latest, now);
    latest[latest.length - 2] = count;
    latest[latest.length - 1] = at;
  }

  /** From a state, with events since, to a site; the state there is the latest then. Returns the extra cycles. */
  private replay(key: number, { fetches, events, count, at, besides, kind }: TimingSite): number {
    const { system } = this;
    const state = this.stateOf(key);
    const [done, passed] = [state[state.length - 2]!, state[state.length - 1]!];
    system.restoreFetches(state, 0);
    let index = done;
    let extra = 0;
    /** Cycles that have passed beside the constant ones, without the extra ones. */
    let more = -passed;
    const fetchTo = (end: number): void => {
      for (; index < end; index++) {
        const { address, bytes, at: when } = fetches[index]!;
        extra += system.fetch(address, bytes, when + more + extra);
      }
    };
    const bits = key % 2 ** STATE_SHIFT;
    for (const event of events) {
      if (event.kind === 'cycles') {
        if ((bits & eventBit(event.bit)) === 0) continue;
        fetchTo(event.count);
        more += event.cycles;
        continue;
      }
      for (const missed of missesOf(event, bits)) {
        fetchTo(missed.count);
        extra += system.miss(missed.at + more + extra);
      }
    }
    fetchTo(count);
    const isEnd = kind === 'end';
    this.keep(at + more + besides + extra, isEnd ? 0 : Math.max(count, done), isEnd ? 0 : at);
    return extra;
  }
}

/** The reads that have not found their lines. @param bits events of the stretch */
function missesOf({ bit, lines, lineShift, reads }: ReadsEvent, bits: number): readonly BlockTime[] {
  const first = lines === 1 ? 0 : (bits >>> (bit + lines)) & ((1 << lineShift) - 1);
  const lineOf = (distance: number): number => (first + distance) >>> lineShift;
  return reads.filter(({ distance }, index) => {
    const line = lineOf(distance);
    const isFirst = index === 0 || line !== lineOf(reads[index - 1]!.distance);
    return isFirst && (bits & eventBit(bit + line)) !== 0;
  });
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
