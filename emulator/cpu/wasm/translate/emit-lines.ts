/** Lines that a run of reads goes through, in translated code: what mostly happens, and for the rest a call of the function of line-lookup.ts. */
import { WORDS_AT_ONCE, type DataLines } from '../../../timing/data-lines.ts';
import { LineWords, WORD_SHIFT } from './line-words.ts';
import { local } from './locals.ts';
import { I32, type WasmWriter } from './wasm-writer.ts';

const LINES_FUNCTION = 2;

/** Four numbers from one on. */
const ramp = (first: number): [number, number, number, number] => [first, first + 1, first + 2, first + 3];

export class LinesEmitter {
  private readonly w: WasmWriter;
  private readonly lines: DataLines;
  private readonly words: LineWords;

  /** @param at where the words of the lines are */
  constructor(w: WasmWriter, lines: DataLines, at: number) {
    [this.w, this.lines] = [w, lines];
    this.words = new LineWords(w, lines, at);
  }

  /**
   * All lines are used from the place in local.work, counted from the start of their memory, on. What ReadsEvent says goes to local.timing.
   * @param span bytes to the last place @param most lines there can be @param bit first one of the event
   */
  use(span: number, most: number, bit: number): void {
    const { w, lines } = this;
    const { lineShift } = lines;
    const least = (span >>> lineShift) + 1;
    w.get(local.work);
    w.const(lineShift);
    w.op('i32.shr_u');
    w.set(local.line);
    if (most === 1) this.isOther();
    else if (lines.isCached && lines.setMask === 0 && least <= lines.ways) this.missAll(span, least, most, bit);
    else w.const(1);
    w.open('if');
    w.get(local.work);
    // Of a single line there is nothing to say about the place in it.
    if (most === 1) {
      w.const(-1 << lineShift);
      w.op('i32.and');
    }
    w.const(span);
    w.const(most);
    w.call(LINES_FUNCTION);
    this.note(bit);
    w.end();
  }

  /** What is on the stack goes to local.timing from a bit on. */
  private note(bit: number): void {
    const { w } = this;
    w.op('i64.extend_i32_u');
    w.wide(bit);
    w.op('i64.shl');
    w.get(local.timing);
    w.op('i64.or');
    w.set(local.timing);
  }

  /** Leaves whether the line in local.line is not the one used last in its set, which needs nothing done. */
  private isOther(): void {
    const { w, words, lines } = this;
    if (lines.isCached) {
      words.loadClock(local.line);
      words.stamp(local.line);
      w.memory('i32.load', words.stamps);
    } else {
      w.get(local.line);
      w.const(0);
      w.memory('i32.load', words.last);
    }
    w.op('i32.ne');
  }

  /** Weights that are read once: as few lines as there can be, and none of them is at hand. Leaves whether it is not so, and nothing has been done. */
  private missAll(span: number, least: number, most: number, bit: number): void {
    const { w } = this;
    const { lineShift } = this.lines;
    this.areMissed(least);
    w.get(local.work);
    w.const(span);
    w.op('i32.add');
    w.const(lineShift);
    w.op('i32.shr_u');
    w.get(local.line);
    w.op('i32.sub');
    w.const(least - 1);
    w.op('i32.eq', 'i32.and');
    w.open('if', I32);
    w.get(local.work);
    w.const((1 << lineShift) - 1);
    w.op('i32.and');
    w.const(most);
    w.op('i32.shl');
    w.const(2 ** least - 1);
    w.op('i32.or');
    this.note(bit);
    this.takeIn(least);
    w.const(0);
    w.else();
    w.const(1);
    w.end();
  }

  /** Leaves whether lines from local.line on are not in the cache: the latest of their stamps is too old. Sets local.clock. */
  private areMissed(count: number): void {
    const { w, words } = this;
    for (let done = 0; done < count; done += WORDS_AT_ONCE) {
      words.stamp(local.line);
      w.vectorMemory('v128.load', words.stamps + (done << WORD_SHIFT));
      if (count - done < WORDS_AT_ONCE) {
        const [a, b, c, d] = ramp(done).map((number) => (number < count ? -1 : 0)) as [number, number, number, number];
        w.lanes(a, b, c, d);
        w.vector('v128.and');
      }
      if (done > 0) w.vector('i32x4.max_s');
    }
    words.loadClock(local.line);
    w.tee(local.clock);
    w.const(this.lines.ways);
    w.op('i32.sub');
    w.vector('i32x4.splat');
    w.vector('i32x4.gt_s');
    w.vector('v128.any_true');
    w.op('i32.eqz');
  }

  /** Those lines come into the cache in their order. */
  private takeIn(count: number): void {
    const { w, words, lines } = this;
    w.get(local.clock);
    w.const(1);
    w.op('i32.add');
    words.ring(local.line);
    w.set(local.work);
    for (let done = 0; done < count; done += WORDS_AT_ONCE) {
      const more = Math.min(count - done, WORDS_AT_ONCE);
      const at = done << WORD_SHIFT;
      this.ramp(local.clock, done + 1);
      this.store(more, words.stamps + at, () => {
        words.stamp(local.line);
      });
      this.ramp(local.line, done);
      // Behind the end of the ring its start follows; there is room for what is written besides.
      for (const place of [words.rings, words.rings - (lines.ways << WORD_SHIFT)]) {
        this.store(more, place + at, () => {
          w.get(local.work);
        });
      }
    }
    w.get(local.clock);
    w.const(count);
    w.op('i32.add');
    w.set(local.clock);
    words.storeClock(local.line, local.clock);
  }

  /** Four numbers from `more` behind a local's on to local.four. */
  private ramp(number: number, more: number): void {
    const { w } = this;
    w.get(number);
    w.vector('i32x4.splat');
    w.lanes(...ramp(more));
    w.vector('i32x4.add');
    w.set(local.four);
  }

  /** Some of the numbers in local.four, to `offset` from an address. */
  private store(count: number, offset: number, address: () => void): void {
    const { w } = this;
    const some = (name: 'v128.store' | 'v128.store64_lane' | 'v128.store32_lane', lane: number | null): void => {
      address();
      w.get(local.four);
      w.vectorMemory(name, offset + ((lane ?? 0) << WORD_SHIFT), lane);
    };
    if (count === WORDS_AT_ONCE) some('v128.store', null);
    if ((count & 2) !== 0) some('v128.store64_lane', 0);
    if ((count & 1) !== 0) some('v128.store32_lane', count - 1);
  }
}
