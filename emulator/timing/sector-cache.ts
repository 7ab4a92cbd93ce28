/**
 * A set-associative cache whose lines are filled piece by piece: one tag stands for a line, and every sector of it that a read brings has a valid bit of its
 * own. Least recently used lines go first. A sector may be the whole line. Holds tags only.
 */
import { assert } from '../../common/errors.ts';

interface Line {
  readonly tag: number;
  readonly sectors: Set<number>;
}

export class SectorCache {
  private readonly ways: number;
  private readonly sectorsPerLine: number;
  private readonly setMask: number;
  /** Per set, most recently used first. */
  private readonly sets: Line[][];

  /** @param lines a power of two times ways @param ways lines a set @param sectorsPerLine 1 or more */
  constructor(lines: number, ways: number, sectorsPerLine: number) {
    const sets = lines / ways;
    assert(Number.isInteger(sets) && (sets & (sets - 1)) === 0, 'the number of sets is a power of two');
    this.ways = ways;
    this.sectorsPerLine = sectorsPerLine;
    this.setMask = sets - 1;
    this.sets = Array.from({ length: sets }, () => []);
  }

  /** @param sector address divided by the bytes of a sector */
  has(sector: number): boolean {
    const tag = Math.floor(sector / this.sectorsPerLine);
    return this.setOf(tag).some((line) => line.tag === tag && line.sectors.has(sector));
  }

  /** Whether the sector was there; it is now, its line the most recently used of its set. */
  use(sector: number): boolean {
    const tag = Math.floor(sector / this.sectorsPerLine);
    const set = this.setOf(tag);
    const at = set.findIndex((line) => line.tag === tag);
    const line = at >= 0 ? set.splice(at, 1)[0]! : { tag, sectors: new Set<number>() };
    if (set.length >= this.ways) set.pop();
    set.unshift(line);
    const isThere = line.sectors.has(sector);
    line.sectors.add(sector);
    return isThere;
  }

  clear(): void {
    for (const set of this.sets) set.length = 0;
  }

  save(): (readonly [number, readonly number[]])[][] {
    return this.sets.map((set) => set.map(({ tag, sectors }) => [tag, [...sectors]]));
  }

  restore(sets: ReturnType<SectorCache['save']>): void {
    for (const [index, set] of this.sets.entries()) {
      const lines = (sets[index] ?? []).map(([tag, sectors]) => ({ tag, sectors: new Set(sectors) }));
      set.splice(0, set.length, ...lines);
    }
  }

  private setOf(tag: number): Line[] {
    return this.sets[tag & this.setMask]!;
  }
}
