/**
 * Memories of a Cortex-M7: tightly coupled ones that answer at once, and flash and RAM on the AXI bus behind caches for instructions and data with lines of 32
 * bytes (Arm DDI 0489F 5.2, 8.1). A line is filled from the word that is asked for on; what is fetched in a straight line was asked for up to four double words
 * ahead (DDI 0489F 2.1.1: the prefetch unit's queue). Stores and evicted lines wait in buffers and add nothing. The caches work as far as CCR has them on.
 */
import type { FlashControl } from '../peripherals/flash-control.ts';
import { LineCache } from './line-cache.ts';
import type { MemorySystem } from './memory-system.ts';

interface Range {
  readonly start: number;
  readonly bytes: number;
}

export interface L1Geometry {
  /** The flash. */
  readonly flash: Range;
  readonly instructionCacheBytes: number;
  readonly dataCacheBytes: number;
  /** Memories that answer in one cycle. */
  readonly tightlyCoupled: readonly Range[];
  /** RAM on the bus. */
  readonly bus: readonly Range[];
  /** Cycles from the core over the bus to a memory and back. */
  readonly busCycles: number;
}

/** Which caches are on. */
export interface CacheEnables {
  readonly instructions: boolean;
  readonly data: boolean;
}

const LINE_BYTES = 32;
const LINE_SHIFT = 5;
const INSTRUCTION_WAYS = 2;
const DATA_WAYS = 4;
const BITS = 8;
/** One beat of the bus. */
const BEAT_SHIFT = 3;
const BEATS = LINE_BYTES >> BEAT_SHIFT;
/** Double words that the prefetch unit is ahead. */
const QUEUE = 4;
const NONE = -1;
const EVEN_BANK = 1;

const isIn = ({ start, bytes }: Range, address: number): boolean => address >= start && address - start < bytes;

/** A line on its way: when each of its beats is there. */
interface Fill {
  line: number;
  beats: number[];
}

export class L1Memory implements MemorySystem {
  private readonly geometry: L1Geometry;
  private readonly control: FlashControl;
  private readonly enables: () => CacheEnables;
  private readonly instructions: LineCache;
  private readonly data: LineCache;
  private instructionFill: Fill = { line: NONE, beats: [] };
  private dataFill: Fill = { line: NONE, beats: [] };
  private flashFreeAt = 0;
  /** Double word that instructions come from now, when the last ones were first needed, and the address behind the last instruction. */
  private current = NONE;
  private needed: number[] = [];
  private following = NONE;

  constructor(geometry: L1Geometry, control: FlashControl, enables: () => CacheEnables) {
    this.geometry = geometry;
    this.control = control;
    this.enables = enables;
    this.instructions = new LineCache(geometry.instructionCacheBytes / LINE_BYTES, INSTRUCTION_WAYS);
    this.data = new LineCache(geometry.dataCacheBytes / LINE_BYTES, DATA_WAYS);
  }

  /** The bank of caches and tightly coupled memory: of the even words or of the odd ones. */
  slaveOf(address: number): number {
    return EVEN_BANK + ((address >>> 2) & 1);
  }

  fetch(address: number, bytes: number, now: number): number {
    const branched = address !== this.following;
    this.following = address + bytes;
    const first = address >>> BEAT_SHIFT;
    const last = (address + bytes - 1) >>> BEAT_SHIFT;
    if (branched) {
      this.needed = [];
      this.current = NONE;
    }
    let extra = first === this.current ? 0 : this.fetchBeat(first, now);
    if (last !== first) extra += this.fetchBeat(last, now + extra);
    return extra;
  }

  access(address: number, isRead: boolean, now: number): number {
    if (!this.isOnBus(address)) return 0;
    if (!this.enables().data) return isRead ? this.beat(address >>> BEAT_SHIFT, now) - now : 0;
    // Flash takes no stores, and a store to it fills no line.
    if (!isRead && isIn(this.geometry.flash, address)) return 0;
    const ready = this.cached(this.data, this.dataFill, address >>> BEAT_SHIFT, now);
    return isRead ? Math.max(ready - now, 0) : 0;
  }

  countersReset(): void {
    this.flashFreeAt = 0;
    this.needed = [];
    this.instructionFill = { line: NONE, beats: [] };
    this.dataFill = { line: NONE, beats: [] };
  }

  save(): unknown {
    const { instructionFill, dataFill, flashFreeAt, current, needed, following } = this;
    const own = structuredClone({ instructionFill, dataFill, flashFreeAt, current, needed, following });
    return { own, instructions: this.instructions.save(), data: this.data.save() };
  }

  restore(state: unknown): void {
    const { own, instructions, data } = state as {
      own: Record<string, unknown>;
      instructions: Int32Array;
      data: Int32Array;
    };
    Object.assign(this, structuredClone(own));
    this.instructions.restore(instructions);
    this.data.restore(data);
  }

  private fetchBeat(beat: number, now: number): number {
    this.current = beat;
    // Before the branch nothing of its target was asked for.
    const asked = this.needed.length < QUEUE ? (this.needed[0] ?? now) : this.needed.shift()!;
    const address = beat << BEAT_SHIFT;
    let ready = now;
    if (this.isOnBus(address >>> 0))
      ready = this.enables().instructions
        ? this.cached(this.instructions, this.instructionFill, beat, asked)
        : this.beat(beat, asked);
    const start = Math.max(ready, now);
    this.needed.push(start);
    return start - now;
  }

  /** Counter at which a double word is there that is asked for at `now`. */
  private cached(cache: LineCache, fill: Fill, beat: number, now: number): number {
    const line = beat >>> (LINE_SHIFT - BEAT_SHIFT);
    const index = beat & (BEATS - 1);
    if (cache.use(line)) return fill.line === line ? Math.max(fill.beats[index]!, now) : now;
    fill.line = line;
    fill.beats = [];
    // The bus wraps around: from the double word that is asked for to the end of the line, then from its beginning.
    let at = now;
    for (let i = 0; i < BEATS; i++) {
      const next = (index + i) & (BEATS - 1);
      const isNewRead = i === 0 || this.startsRead(next, index);
      at = isNewRead ? this.arrival(beat, i === 0 ? now + this.geometry.busCycles : at) : at + 1;
      fill.beats[next] = at;
    }
    return fill.beats[index]!;
  }

  private beat(beat: number, now: number): number {
    return this.arrival(beat, now + this.geometry.busCycles);
  }

  /** Whether a beat of a line is in another read of the flash than the one before it. */
  private startsRead(index: number, first: number): boolean {
    const beatsPerRead = Math.max(this.control.settings.lineBits / BITS / (1 << BEAT_SHIFT), 1);
    return beatsPerRead < BEATS && index % beatsPerRead === 0 && index !== first;
  }

  /** When what is asked of the memory at `at` is there. */
  private arrival(beat: number, at: number): number {
    if (!isIn(this.geometry.flash, (beat << BEAT_SHIFT) >>> 0)) return at + 1;
    const { waitStates } = this.control.settings;
    const ready = Math.max(at, this.flashFreeAt) + waitStates + 1;
    this.flashFreeAt = ready;
    return ready;
  }

  private isOnBus(address: number): boolean {
    const { flash, tightlyCoupled, bus } = this.geometry;
    if (tightlyCoupled.some((range) => isIn(range, address))) return false;
    return isIn(flash, address) || bus.some((range) => isIn(range, address));
  }
}
