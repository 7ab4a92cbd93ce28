/**
 * Exact timing of translated code. All that decides over the extra cycles of fetches (lines in the cache, the prefetch, how long the port is busy, relative
 * to now) is one state, which gets a number; what a stretch of code does to it and what it costs is computed by the memory system itself, once for every
 * state and stretch, and looked up afterwards, in a table that translated code reads. A stretch ends with the block, with a read of data that is not at hand,
 * and behind an instruction whose cycles are only known at run time.
 */
import { assert } from '../../../../common/errors.ts';
import type { TranslatableMemory } from '../../../timing/memory-system.ts';
import type { GuestMemory } from '../guest-memory.ts';

/** Where translated code finds and leaves the number of the state, in its memory. */
export const STATE_OFFSET = 640;

/** More states than this are forgotten together. */
const STATES_MAX = 2 ** 15;
/** Entries of a state, for sites whose numbers differ in the last bits: those that follow it are mostly numbered one after the other. */
const WAYS = 4;
export const WAY_MASK = WAYS - 1;
const ENTRY_BYTES = 8;
export const ENTRY_SHIFT = Math.log2(ENTRY_BYTES);
export const STATE_SHIFT = Math.log2(WAYS * ENTRY_BYTES);
/** Of an entry: the site's number plus 1; the state afterwards, and extra cycles from bit EXTRA_BIT on. */
export const entryWord = { site: 0, result: 4 } as const;
export const EXTRA_BIT = 16;
const HASH_FACTOR = 0x9e37_79b1;
/** Behind the memory system's words: fetches of the block that are done, and the constant cycles of the block that have passed. */
const OWN_WORDS = 2;

export interface FetchEvent {
  readonly address: number;
  readonly bytes: number;
  /** Cycles from the start of the block as far as they are constants. */
  readonly at: number;
}

/** The end of a stretch that begins wherever the state before it says. */
export interface TimingSite {
  readonly fetches: readonly FetchEvent[];
  /** Fetches of the block up to here. */
  readonly count: number;
  /** Cycles as in FetchEvent. */
  readonly at: number;
  /** Cycles besides, known at run time only. */
  readonly besides: number;
  readonly kind: 'inside' | 'miss' | 'end';
}

export class TimingMemo {
  static readonly tableBytes = STATES_MAX << STATE_SHIFT;
  /** Where the table is. */
  readonly table: number;
  private readonly system: TranslatableMemory;
  private readonly view: DataView;
  private readonly sites: TimingSite[] = [];
  private readonly siteNumbers = new Map<string, number>();
  /** By a hash of their words. */
  private readonly numbers = new Map<number, number[]>();
  private readonly states: Int32Array[] = [];
  /** Results by state and site: two that share an entry are not computed again and again. */
  private readonly computed = new Map<number, number>();
  /** The state that has been computed last. */
  private latest: Int32Array;

  constructor(system: TranslatableMemory, memory: GuestMemory, table: number) {
    this.system = system;
    this.view = memory.view;
    this.table = table;
    this.latest = new Int32Array(0);
    this.clear();
  }

  /** The first of the numbers of sites whose `besides` count up, `more` of them after the first. @param block stands for its fetches */
  site(block: string, first: TimingSite, more = 0): number {
    const { count, at, besides, kind } = first;
    const name = [block, count, at, besides, kind, more].join(' ');
    const known = this.siteNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.sites.push(first) - 1;
    this.siteNumbers.set(name, number);
    for (let step = 1; step <= more; step++) this.sites.push({ ...first, besides: besides + step });
    return number;
  }

  /** Before translated code runs. @param now cycle counter */
  enter(now: number): void {
    this.keep(now, 0, 0);
    if (this.states.length >= STATES_MAX) this.forget();
    this.view.setInt32(STATE_OFFSET, this.numberOfLatest(), true);
  }

  /**
   * After it: the memory system is up to date again. Returns the extra cycles of the last stretch where the way out is inside a block.
   * @param site of that way out @param now cycle counter without them
   */
  leave(site: TimingSite | null, now: number): number {
    const state = this.states[this.view.getInt32(STATE_OFFSET, true)]!;
    if (site === null) {
      this.system.restoreFetches(state, now);
      return 0;
    }
    const extra = this.replay(state, site);
    this.system.restoreFetches(this.latest, now + extra);
    return extra;
  }

  /** Called by translated code: fills the entry. */
  advance(state: number, site: number): void {
    const key = state * 2 ** 32 + site;
    let result = this.computed.get(key);
    const isFull = result === undefined && this.states.length >= STATES_MAX;
    if (result === undefined) {
      const extra = this.replay(this.states[state]!, this.sites[site]!);
      assert(extra < 2 ** (32 - EXTRA_BIT), 'a stretch of code waits no longer than an entry can say');
      if (isFull) this.forget();
      result = (extra << EXTRA_BIT) | this.numberOfLatest();
      if (!isFull) this.computed.set(key, result);
    }
    const { view } = this;
    const entry = this.table + (state << STATE_SHIFT) + ((site & WAY_MASK) << ENTRY_SHIFT);
    // The number of a state that has been forgotten may be another's by now.
    view.setInt32(entry + entryWord.site, isFull ? 0 : site + 1, true);
    view.setInt32(entry + entryWord.result, result, true);
  }

  /** The memory is set up in another way, or the code is another. */
  clear(): void {
    this.sites.length = 0;
    this.siteNumbers.clear();
    this.latest = new Int32Array(this.system.fetchWords + OWN_WORDS);
    this.forget();
  }

  /** Code has changed: its blocks are not those of the same name before. */
  forgetSites(): void {
    this.siteNumbers.clear();
  }

  private forget(): void {
    new Uint8Array(this.view.buffer, this.table, this.states.length << STATE_SHIFT).fill(0);
    this.numbers.clear();
    this.computed.clear();
    this.states.length = 0;
  }

  private numberOfLatest(): number {
    const { latest, states, numbers } = this;
    let hash = 0;
    for (const word of latest) hash = Math.imul(hash ^ word, HASH_FACTOR) ^ (hash >>> 15);
    const alike = numbers.get(hash);
    const known = alike?.find((number) => isSame(states[number]!, latest));
    if (known !== undefined) return known;
    const number = states.push(latest.slice()) - 1;
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

  /** From a state to a site; the state there is the latest then. Returns the extra cycles. */
  private replay(state: Int32Array, { fetches, count, at, besides, kind }: TimingSite): number {
    const { system } = this;
    const [done, passed] = [state[state.length - 2]!, state[state.length - 1]!];
    system.restoreFetches(state, 0);
    let extra = 0;
    for (let index = done; index < count; index++) {
      const { address, bytes, at: when } = fetches[index]!;
      extra += system.fetch(address, bytes, when - passed + extra);
    }
    const now = at - passed + besides + extra;
    if (kind === 'miss') extra += system.miss(now);
    const isEnd = kind === 'end';
    this.keep(at - passed + besides + extra, isEnd ? 0 : Math.max(count, done), isEnd ? 0 : at);
    return extra;
  }
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
