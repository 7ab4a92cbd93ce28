/** Counters per address, in pages that exist only where something was counted. */

const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;

export class PagedCounts {
  private readonly shift: number;
  private readonly pages = new Map<number, Float64Array<ArrayBuffer>>();
  private lastNumber = -1;
  private last = new Float64Array(0);

  /** @param granuleBytes addresses that share a counter: 1, 2 or 4 bytes */
  constructor(granuleBytes: 1 | 2 | 4) {
    this.shift = granuleBytes >> 1;
  }

  add(address: number, amount: number): void {
    const number = Math.floor(address / PAGE_BYTES);
    if (number !== this.lastNumber) {
      this.last = this.pages.get(number) ?? this.newPage(number);
      this.lastNumber = number;
    }
    const index = (address & (PAGE_BYTES - 1)) >> this.shift;
    this.last[index] = (this.last[index] ?? 0) + amount;
  }

  get(address: number): number {
    const page = this.pages.get(Math.floor(address / PAGE_BYTES));
    return page?.[(address & (PAGE_BYTES - 1)) >> this.shift] ?? 0;
  }

  /** Address of the granule and its count, by ascending address, where it is not 0. */
  *entries(): Generator<readonly [number, number]> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const page = this.pages.get(number);
      if (page === undefined) continue;
      for (const [index, count] of page.entries())
        if (count !== 0) yield [number * PAGE_BYTES + (index << this.shift), count];
    }
  }

  private newPage(number: number): Float64Array<ArrayBuffer> {
    const page = new Float64Array(PAGE_BYTES >> this.shift);
    this.pages.set(number, page);
    return page;
  }
}
