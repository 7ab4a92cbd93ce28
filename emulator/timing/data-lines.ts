/**
 * The lines of a memory that reads of data find at hand: the one read last and, where there is a data cache that is switched on, those in it, with
 * least-recently-used replacement in every set. All of it lies in typed arrays that an engine may put into the memory of its own code, which then
 * follows the same steps (emulator/cpu/wasm/translate/data-lookup.ts). Lines are counted from the start of the memory.
 */
import { assert } from '../../common/errors.ts';

export const NO_LINE = -1;
const WORD_BYTES = 4;
/** A way's number plus 1 is kept in a byte for every line. */
const WAYS_MAX = 255;
/** The shortest line. */
export const LINE_BYTES_MIN = 8;

/** Words before those of the cache. */
export const dataField = { last: 0, enabled: 1, heads: 2 } as const;

export class DataLines {
  readonly start: number;
  readonly bytes: number;
  /** Of the cache at its shortest lines. */
  readonly linesMax: number;
  lineShift = Math.log2(LINE_BYTES_MIN);
  /** Set of a line in the cache. */
  setMask = 0;
  /**
   * dataField, then for every set its most recently used way, for every way its line, and the ways used before and after it in a ring of the set;
   * then one that is not used, where code that follows finds the byte of NO_LINE.
   */
  private words: Int32Array;
  /** For every line of the memory the way it is in, plus 1, or 0. */
  private wayOf: Uint8Array;

  constructor(memory: { readonly start: number; readonly bytes: number }, cacheBytes: number) {
    this.start = memory.start;
    this.bytes = memory.bytes;
    this.linesMax = cacheBytes / LINE_BYTES_MIN;
    assert(this.linesMax <= WAYS_MAX, `a data cache has at most ${WAYS_MAX} lines`);
    this.words = new Int32Array(dataField.heads + 4 * this.linesMax + 1);
    this.wayOf = new Uint8Array(memory.bytes / LINE_BYTES_MIN);
    this.clear();
  }

  /** There is a cache, and it is switched on. */
  get isCached(): boolean {
    return this.words[dataField.enabled] !== 0;
  }

  /** Bytes of the words; those of the lines' ways follow them. */
  get wordBytes(): number {
    return this.words.length * WORD_BYTES;
  }

  get storageBytes(): number {
    return this.wordBytes + this.wayOf.length;
  }

  /** Moves to another buffer, from a multiple of 4 on. */
  moveTo(buffer: ArrayBuffer, offset: number): void {
    const { words, wayOf } = this;
    this.words = new Int32Array(buffer, offset, words.length);
    this.wayOf = new Uint8Array(buffer, offset + this.wordBytes, wayOf.length);
    this.words.set(words);
    this.wayOf.set(wayOf);
  }

  /** Empty afterwards. @param ways of the cache in a set */
  shape(lineBytes: number, ways: number): void {
    this.lineShift = Math.log2(lineBytes);
    const lines = (this.linesMax * LINE_BYTES_MIN) / lineBytes;
    const inSet = Math.min(ways, lines);
    const sets = lines === 0 ? 0 : lines / inSet;
    assert((sets & (sets - 1)) === 0, 'the number of sets is a power of two');
    this.setMask = Math.max(sets - 1, 0);
    const { head, before, after } = this.places();
    for (let set = 0; set < sets; set++) {
      const first = set * inSet;
      this.words[head + set] = first;
      for (let way = 0; way < inSet; way++) {
        this.words[before + first + way] = first + ((way + inSet - 1) % inSet);
        this.words[after + first + way] = first + ((way + 1) % inSet);
      }
    }
    this.clear();
  }

  /** The cache is switched on or off; the last line is forgotten. */
  enable(enabled: boolean): void {
    this.words[dataField.enabled] = enabled && this.linesMax > 0 ? 1 : 0;
    this.words[dataField.last] = NO_LINE;
  }

  clear(): void {
    const { line } = this.places();
    this.words[dataField.last] = NO_LINE;
    this.words.fill(NO_LINE, line, line + this.linesMax);
    this.wayOf.fill(0);
  }

  /** Whether the line at an address was at hand; it is now. */
  use(address: number): boolean {
    const { words, wayOf } = this;
    const line = (address - this.start) >>> this.lineShift;
    if (line === words[dataField.last]) return true;
    words[dataField.last] = line;
    if (!this.isCached) return false;
    const { head, line: lines, before } = this.places();
    const set = line & this.setMask;
    const way = wayOf[line]! - 1;
    if (way >= 0) {
      this.toFront(way, head + set);
      return true;
    }
    // The one before the most recently used is the least recently used, and takes its place.
    const victim = words[before + words[head + set]!]!;
    const old = words[lines + victim]!;
    if (old !== NO_LINE) wayOf[old] = 0;
    words[lines + victim] = line;
    wayOf[line] = victim + 1;
    words[head + set] = victim;
    return false;
  }

  save(): Int32Array {
    return this.words.slice();
  }

  restore(state: Int32Array): void {
    this.words.set(state);
    this.wayOf.fill(0);
    const { line } = this.places();
    for (let way = 0; way < this.linesMax; way++) {
      const at = this.words[line + way]!;
      if (at !== NO_LINE) this.wayOf[at] = way + 1;
    }
  }

  /** Words at which each kind begins. */
  places(): { readonly head: number; readonly line: number; readonly before: number; readonly after: number } {
    const { linesMax } = this;
    const head = dataField.heads;
    return { head, line: head + linesMax, before: head + 2 * linesMax, after: head + 3 * linesMax };
  }

  private toFront(way: number, headAt: number): void {
    const { words } = this;
    const head = words[headAt]!;
    if (way === head) return;
    const { before, after } = this.places();
    const [previous, next] = [words[before + way]!, words[after + way]!];
    words[after + previous] = next;
    words[before + next] = previous;
    const tail = words[before + head]!;
    words[after + tail] = way;
    words[before + way] = tail;
    words[after + way] = head;
    words[before + head] = way;
    words[headAt] = way;
  }
}
