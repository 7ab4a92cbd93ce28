/** The words of DataLines (emulator/timing/data-lines.ts) in the memory of translated code. */
import type { DataLines } from '../../../timing/data-lines.ts';
import type { WasmWriter } from './wasm-writer.ts';

export const WORD_SHIFT = 2;

export class LineWords {
  private readonly w: WasmWriter;
  private readonly lines: DataLines;
  /** Places of the first words in memory. */
  readonly last: number;
  private readonly clocks: number;
  readonly rings: number;
  readonly stamps: number;

  constructor(w: WasmWriter, lines: DataLines, at: number) {
    const { last, clocks, rings, stamps } = lines.places;
    const place = (word: number): number => at + (word << WORD_SHIFT);
    [this.w, this.lines] = [w, lines];
    [this.last, this.clocks, this.rings, this.stamps] = [place(last), place(clocks), place(rings), place(stamps)];
  }

  loadClock(line: number): void {
    this.set(line, 1);
    this.w.memory('i32.load', this.clocks);
  }

  storeClock(line: number, clock: number): void {
    this.set(line, 1);
    this.w.get(clock);
    this.w.memory('i32.store', this.clocks);
  }

  /** Leaves the address of a line's stamp behind `stamps`. */
  stamp(line: number): void {
    this.w.get(line);
    this.w.const(WORD_SHIFT);
    this.w.op('i32.shl');
  }

  /** Leaves the address behind `rings` for a stamp on the stack, in the ring of a line's set. */
  ring(line: number): void {
    const { w, lines } = this;
    w.const(lines.ways - 1);
    w.op('i32.and');
    w.const(WORD_SHIFT);
    w.op('i32.shl');
    if (lines.setMask === 0) return;
    this.set(line, lines.ways);
    w.op('i32.add');
  }

  /** Leaves the number of a line's set times `words`, in bytes. */
  private set(line: number, words: number): void {
    const { w, lines } = this;
    if (lines.setMask === 0) {
      w.const(0);
      return;
    }
    w.get(line);
    w.const(lines.setMask);
    w.op('i32.and');
    w.const(words << WORD_SHIFT);
    w.op('i32.mul');
  }
}
