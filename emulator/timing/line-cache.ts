/** A cache of lines, set-associative with least-recently-used replacement; holds tags only. */
import { assert } from '../../common/errors.ts';

const EMPTY = -1;

export class LineCache {
  /** Per set, most recently used first; EMPTY behind the last. */
  readonly tags: Int32Array;
  private readonly ways: number;
  private readonly setMask: number;

  /** @param lines a power of two times ways @param ways lines a set */
  constructor(lines: number, ways: number) {
    const sets = lines / ways;
    assert(Number.isInteger(sets) && (sets & (sets - 1)) === 0, 'the number of sets is a power of two');
    this.ways = ways;
    this.setMask = sets - 1;
    this.tags = new Int32Array(lines).fill(EMPTY);
  }

  has(line: number): boolean {
    const first = this.firstOf(line);
    for (let at = first; at < first + this.ways; at++) if (this.tags[at] === line) return true;
    return false;
  }

  /** Whether the line was there; it is now, as the most recently used of its set. */
  use(line: number): boolean {
    const { tags } = this;
    const first = this.firstOf(line);
    const last = first + this.ways - 1;
    let at = first;
    while (at < last && tags[at] !== line) at++;
    const wasThere = tags[at] === line;
    tags.copyWithin(first + 1, first, at);
    tags[first] = line;
    return wasThere;
  }

  clear(): void {
    this.tags.fill(EMPTY);
  }

  save(): Int32Array {
    return this.tags.slice();
  }

  restore(tags: Int32Array): void {
    this.tags.set(tags);
  }

  private firstOf(line: number): number {
    return (line & this.setMask) * this.ways;
  }
}
