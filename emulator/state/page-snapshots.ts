/**
 * Snapshots of a memory in pages of 4 KiB. Every snapshot is whole, but a page that did not change since the last one is the same object,
 * so that many snapshots of a large memory cost a comparison each and the memory of what changed.
 */
import { assert } from '../../common/errors.ts';

export const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;

/** Pages in ascending order; contents are never changed. */
export type Pages = readonly Uint8Array[];

export class PageSnapshots {
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  /** What the memory held when it was last saved or restored. */
  private last: Pages = [];
  private lastWords: readonly Int32Array[] = [];

  /** @param bytes the memory itself: whole pages, aligned to words */
  constructor(bytes: Uint8Array) {
    assert(bytes.length % PAGE_BYTES === 0 && bytes.byteOffset % 4 === 0, 'a memory is whole pages');
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  save(): Pages {
    const pages: Uint8Array[] = [];
    for (let start = 0; start < this.bytes.length; start += PAGE_BYTES) {
      const known = this.last[pages.length];
      const isKnown = known !== undefined && this.equals(start / 4, this.lastWords[pages.length]);
      pages.push(isKnown ? known : this.copyOf(start, pages.at(-1)));
    }
    this.remember(pages);
    return pages;
  }

  /** Whether the memory is now different from before. */
  restore(pages: Pages): boolean {
    assert(pages.length * PAGE_BYTES === this.bytes.length, 'a snapshot of a memory of this size');
    let changed = false;
    for (const [index, page] of pages.entries()) {
      if (this.equals(index * PAGE_WORDS, wordsOf(page))) continue;
      this.bytes.set(page, index * PAGE_BYTES);
      changed = true;
    }
    this.remember(pages);
    return changed;
  }

  private remember(pages: Pages): void {
    const { last, lastWords } = this;
    this.lastWords = pages.map((page, index) => (page === last[index] && lastWords[index]) || wordsOf(page));
    this.last = pages;
  }

  /** Neighbours are often alike, zeros or ones throughout: such a page is stored once. */
  private copyOf(start: number, before: Uint8Array | undefined): Uint8Array {
    if (before !== undefined && this.equals(start / 4, wordsOf(before))) return before;
    return this.bytes.slice(start, start + PAGE_BYTES);
  }

  private equals(at: number, page: Int32Array | undefined): boolean {
    if (page === undefined) return false;
    const { words } = this;
    for (let i = 0; i < PAGE_WORDS; i++) if (words[at + i] !== page[i]) return false;
    return true;
  }
}

/** The page's bytes as words; a page that came through structuredClone() may lie anywhere in its buffer. */
function wordsOf(page: Uint8Array): Int32Array {
  const aligned = page.byteOffset % 4 === 0 ? page : page.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, PAGE_WORDS);
}
