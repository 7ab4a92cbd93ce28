/** A cache of lines, set-associative with least-recently-used replacement; holds tags only. */
import { assert } from '../../common/errors.ts';

export class LineCache {
  private readonly ways: number;
  private readonly setMask: number;
  /** Per set, most recently used first. */
  private readonly sets: number[][];

  /** @param lines a power of two times ways @param ways lines a set */
  constructor(lines: number, ways: number) {
    const sets = lines / ways;
    assert(Number.isInteger(sets) && (sets & (sets - 1)) === 0, 'the number of sets is a power of two');
    this.ways = ways;
    this.setMask = sets - 1;
    this.sets = Array.from({ length: sets }, () => []);
  }

  has(line: number): boolean {
    return this.setOf(line).includes(line);
  }

  /** Whether the line was there; it is now, as the most recently used of its set. */
  use(line: number): boolean {
    const set = this.setOf(line);
    if (set[0] === line) return true;
    const at = set.indexOf(line);
    if (at >= 0) set.splice(at, 1);
    else if (set.length >= this.ways) set.pop();
    set.unshift(line);
    return at >= 0;
  }

  clear(): void {
    for (const set of this.sets) set.length = 0;
  }

  save(): number[][] {
    return this.sets.map((set) => [...set]);
  }

  restore(sets: readonly (readonly number[])[]): void {
    for (const [index, set] of this.sets.entries()) set.splice(0, set.length, ...(sets[index] ?? []));
  }

  private setOf(line: number): number[] {
    return this.sets[line & this.setMask]!;
  }
}
