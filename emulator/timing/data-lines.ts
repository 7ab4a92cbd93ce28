/**
 * The lines of a memory that reads of data find at hand: the one read last and, where there is a data cache that is switched on, those in it, with
 * least-recently-used replacement in every set. All of it lies in typed arrays that an engine may put into the memory of its own code, which then
 * follows the same steps (emulator/cpu/wasm/translate/line-lookup.ts). Lines are counted from the start of the memory.
 */
import { assert } from '../../common/errors.ts';

export const NO_LINE = -1;
const WORD_BYTES = 4;
/** The shortest line. */
export const LINE_BYTES_MIN = 8;
const CLOCK_MAX = 2 ** 29;
/** Words that an engine may read at once: behind the stamps there is room for that. */
export const WORDS_AT_ONCE = 4;

/** Words before those of the cache. */
const field = { last: 0, enabled: 1, clocks: 2 } as const;

/**
 * Every set of the cache has a clock, which goes on by 1 for every line that comes into it; the line gets it as its stamp. A line whose stamp is less than the
 * number of ways behind the clock is in the cache; none behind: it is the one used last. A ring has the set's lines at the last bits of their stamps.
 */
export class DataLines {
  readonly start: number;
  readonly bytes: number;
  lineShift = Math.log2(LINE_BYTES_MIN);
  /** Set of a line in the cache. */
  setMask = 0;
  /** Lines of a set, a power of two. */
  ways = 1;
  /** Of the cache at its shortest lines. */
  private readonly linesMax: number;
  /** `field`, then the clock of every set, the rings of all sets with room around, and for every line of the memory its stamp, where there is a cache. */
  private words: Int32Array;

  constructor(memory: { readonly start: number; readonly bytes: number }, cacheBytes: number) {
    this.start = memory.start;
    this.bytes = memory.bytes;
    this.linesMax = cacheBytes / LINE_BYTES_MIN;
    const stamps = cacheBytes > 0 ? memory.bytes / LINE_BYTES_MIN : 0;
    this.words = new Int32Array(this.places.stamps + stamps + WORDS_AT_ONCE);
    this.words[field.last] = NO_LINE;
    this.forget();
  }

  /** There is a cache, and it is switched on. */
  get isCached(): boolean {
    return this.words[field.enabled] !== 0;
  }

  get storageBytes(): number {
    return this.words.length * WORD_BYTES;
  }

  /** Words at which each kind begins. */
  get places(): { readonly last: number; readonly clocks: number; readonly rings: number; readonly stamps: number } {
    const { linesMax } = this;
    // A ring of all lines has as much room on either side: an engine writes several words at once there.
    const rings = field.clocks + 2 * linesMax;
    return { ...field, rings, stamps: rings + 2 * linesMax };
  }

  /** Moves to another buffer, from a multiple of 4 on. */
  moveTo(buffer: ArrayBuffer, offset: number): void {
    const { words } = this;
    this.words = new Int32Array(buffer, offset, words.length);
    this.words.set(words);
  }

  /** Empty afterwards. @param ways of the cache in a set */
  shape(lineBytes: number, ways: number): void {
    this.lineShift = Math.log2(lineBytes);
    const lines = (this.linesMax * LINE_BYTES_MIN) / lineBytes;
    this.ways = Math.max(Math.min(ways, lines), 1);
    this.setMask = Math.max(lines / this.ways - 1, 0);
    assert(isPowerOfTwo(this.setMask + 1) && isPowerOfTwo(this.ways), 'sets, and lines of a set, are powers of two');
    this.words[field.last] = NO_LINE;
    this.forget();
  }

  /** The cache is switched on or off; the last line is forgotten. */
  enable(enabled: boolean): void {
    this.words[field.enabled] = enabled && this.linesMax > 0 ? 1 : 0;
    this.words[field.last] = NO_LINE;
  }

  clear(): void {
    const { words, ways, setMask } = this;
    words[field.last] = NO_LINE;
    for (let set = 0; set <= setMask; set++) words[field.clocks + set]! += ways;
  }

  /** Whether the line at an address was at hand; it is now. */
  use(address: number): boolean {
    const line = (address - this.start) >>> this.lineShift;
    return this.isCached ? this.useCached(line) : this.useLast(line);
  }

  /** Before the clocks of the sets have gone on by 2^30: they stay below 2^31. */
  windBack(): void {
    const { words, setMask } = this;
    for (let set = 0; set <= setMask; set++) {
      if (words[field.clocks + set]! >>> 0 <= CLOCK_MAX) continue;
      this.restore(this.save());
      return;
    }
  }

  /** The last line, whether the cache is on, and the lines of every set, the one used last first. */
  save(): Int32Array {
    const { words, ways, setMask } = this;
    const lines: number[] = [];
    const { rings, stamps } = this.places;
    for (let set = 0; set <= setMask; set++) {
      const clock = words[field.clocks + set]!;
      for (let age = 0; age < ways; age++) {
        const line = words[rings + set * ways + ((clock - age) & (ways - 1))]!;
        lines.push(words[stamps + line] === ((clock - age) | 0) ? line : NO_LINE);
      }
    }
    return Int32Array.of(words[field.last]!, words[field.enabled]!, ...lines);
  }

  restore(state: Int32Array): void {
    const { words, ways, setMask } = this;
    this.forget();
    words[field.last] = state[0]!;
    words[field.enabled] = state[1]!;
    const { rings, stamps } = this.places;
    const clock = 2 * ways;
    for (let set = 0; set <= setMask; set++) {
      words[field.clocks + set] = clock;
      for (let age = 0; age < ways; age++) {
        const line = state[2 + set * ways + age]!;
        if (line === NO_LINE) continue;
        words[rings + set * ways + ((clock - age) & (ways - 1))] = line;
        words[stamps + line] = clock - age;
      }
    }
  }

  /** All lines of all sets. */
  private forget(): void {
    const { words, ways } = this;
    const { rings } = this.places;
    words.fill(ways, field.clocks, rings);
    words.fill(0, rings);
  }

  private useLast(line: number): boolean {
    const { words } = this;
    if (line === words[field.last]) return true;
    words[field.last] = line;
    return false;
  }

  private useCached(line: number): boolean {
    const { words, ways, setMask } = this;
    const { rings, stamps } = this.places;
    const set = line & setMask;
    const clock = words[field.clocks + set]!;
    const age = (clock - words[stamps + line]!) >>> 0;
    if (age === 0) return true;
    const ring = rings + set * ways;
    let at = clock;
    if (age < ways) {
      // Those used since are one place older.
      for (at = clock - age; at !== clock; at++) {
        const newer = words[ring + ((at + 1) & (ways - 1))]!;
        words[ring + (at & (ways - 1))] = newer;
        words[stamps + newer] = at;
      }
    } else at = words[field.clocks + set] = (clock + 1) | 0;
    words[ring + (at & (ways - 1))] = line;
    words[stamps + line] = at;
    return age < ways;
  }
}

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;
