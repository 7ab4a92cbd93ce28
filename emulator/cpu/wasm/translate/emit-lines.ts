/** DataLines.use (emulator/timing/data-lines.ts) for a cache that is switched on, as WebAssembly. */
import type { DataLines } from '../../../timing/data-lines.ts';
import { local } from './locals.ts';
import type { WasmWriter } from './wasm-writer.ts';

const WORD_SHIFT = 2;

class LineWords {
  private readonly w: WasmWriter;
  private readonly lines: DataLines;
  /** Places of the first words in memory. */
  private readonly clocks: number;
  private readonly rings: number;
  private readonly stamps: number;

  constructor(w: WasmWriter, lines: DataLines, at: number) {
    const { clocks, rings, stamps } = lines.places;
    [this.w, this.lines] = [w, lines];
    [this.clocks, this.rings, this.stamps] = [clocks, rings, stamps].map((word) => at + (word << WORD_SHIFT)) as [
      number,
      number,
      number,
    ];
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

  /** Leaves the address of a line's stamp, for stampAt. */
  stamp(line: number): void {
    this.w.get(line);
    this.w.const(WORD_SHIFT);
    this.w.op('i32.shl');
  }

  get stampAt(): number {
    return this.stamps;
  }

  /** Leaves the address in a line's ring for a stamp on the stack, for ringAt. */
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

  get ringAt(): number {
    return this.rings;
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

/** The line in local.work is used. @param at where the words of the lines are @param missed emits what is to be done when it was not in the cache */
export function emitUse(w: WasmWriter, lines: DataLines, at: number, missed: () => void): void {
  const words = new LineWords(w, lines, at);
  const { work: line, age, stamp } = local;
  words.loadClock(line);
  w.tee(stamp);
  words.stamp(line);
  w.memory('i32.load', words.stampAt);
  w.op('i32.sub');
  w.tee(age);
  w.open('if');
  w.get(age);
  w.const(lines.ways);
  w.op('i32.lt_u');
  w.open('if');
  emitMoveBack(w, words);
  w.else();
  w.get(stamp);
  w.const(1);
  w.op('i32.add');
  w.set(stamp);
  words.storeClock(line, stamp);
  missed();
  w.end();
  words.stamp(line);
  w.get(stamp);
  w.memory('i32.store', words.stampAt);
  w.get(stamp);
  words.ring(line);
  w.get(line);
  w.memory('i32.store', words.ringAt);
  w.end();
}

/** Lines that have been used since the one in local.work are older by one; the clock is in local.stamp. */
function emitMoveBack(w: WasmWriter, words: LineWords): void {
  const { work: line, age, stamp, newer } = local;
  const again = w.depth;
  w.open('loop');
  const stampBefore = (): void => {
    w.get(stamp);
    w.get(age);
    w.op('i32.sub');
  };
  stampBefore();
  w.const(1);
  w.op('i32.add');
  words.ring(line);
  w.memory('i32.load', words.ringAt);
  w.set(newer);
  stampBefore();
  words.ring(line);
  w.get(newer);
  w.memory('i32.store', words.ringAt);
  words.stamp(newer);
  stampBefore();
  w.memory('i32.store', words.stampAt);
  w.get(age);
  w.const(1);
  w.op('i32.sub');
  w.tee(age);
  w.br(again, 'br_if');
  w.end();
}
