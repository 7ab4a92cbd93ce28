/** DataLines.use (emulator/timing/data-lines.ts) for reads that go through memory line by line, as a WebAssembly function. */
import type { DataLines } from '../../../timing/data-lines.ts';
import { LineWords } from './line-words.ts';
import { wasmModule } from './wasm-module.ts';
import { I32, WasmWriter } from './wasm-writer.ts';

const local = {
  place: 0,
  span: 1,
  lines: 2,
  line: 3,
  last: 4,
  /** The clock of the line's set. */
  clock: 5,
  age: 6,
  newer: 7,
  /** Of the line in `missed`. */
  bit: 8,
  missed: 9,
} as const;

/**
 * Parameters: place of the first read from the start of the memory, bytes from there to the last one, most lines there can be. All lines from the first
 * to the last are used. Returns a bit for every line that was not at hand, the first one's lowest, and above the most lines the place of the first read in
 * its line. @param at where the words of the lines are
 */
export function lineLookupModule(lines: DataLines, at: number): Uint8Array {
  const w = new WasmWriter();
  const words = new LineWords(w, lines, at);
  w.get(local.place);
  w.const((1 << lines.lineShift) - 1);
  w.op('i32.and');
  w.get(local.lines);
  w.op('i32.shl');
  w.set(local.missed);
  w.get(local.place);
  w.const(lines.lineShift);
  w.op('i32.shr_u');
  w.set(local.line);
  w.get(local.place);
  w.get(local.span);
  w.op('i32.add');
  w.const(lines.lineShift);
  w.op('i32.shr_u');
  w.set(local.last);
  w.const(1);
  w.set(local.bit);
  if (lines.isCached) emitCached(w, lines, words);
  else emitUncached(w, words);
  w.get(local.missed);
  w.op('end');
  const locals = [{ count: local.missed - local.line + 1, type: I32 }];
  return wasmModule({ parameters: [I32, I32, I32], imports: ['memory'], body: w.body(), locals });
}

/** To the next line, back to the start of the loop if there is one. */
function emitNext(w: WasmWriter, again: number): void {
  w.get(local.bit);
  w.const(1);
  w.op('i32.shl');
  w.set(local.bit);
  w.get(local.line);
  w.const(1);
  w.op('i32.add');
  w.tee(local.line);
  w.get(local.last);
  w.op('i32.le_u');
  w.br(again, 'br_if');
}

function emitMissed(w: WasmWriter): void {
  w.get(local.missed);
  w.get(local.bit);
  w.op('i32.or');
  w.set(local.missed);
}

function emitUncached(w: WasmWriter, words: LineWords): void {
  const again = w.depth;
  w.open('loop');
  w.get(local.line);
  w.const(0);
  w.memory('i32.load', words.last);
  w.op('i32.ne');
  w.open('if');
  w.const(0);
  w.get(local.line);
  w.memory('i32.store', words.last);
  emitMissed(w);
  w.end();
  emitNext(w, again);
  w.end();
}

function emitCached(w: WasmWriter, lines: DataLines, words: LineWords): void {
  const again = w.depth;
  w.open('loop');
  words.loadClock(local.line);
  w.tee(local.clock);
  words.stamp(local.line);
  w.memory('i32.load', words.stamps);
  w.op('i32.sub');
  w.tee(local.age);
  w.open('if');
  w.get(local.age);
  w.const(lines.ways);
  w.op('i32.lt_u');
  w.open('if');
  emitMoveBack(w, words);
  w.else();
  w.get(local.clock);
  w.const(1);
  w.op('i32.add');
  w.set(local.clock);
  words.storeClock(local.line, local.clock);
  emitMissed(w);
  w.end();
  words.stamp(local.line);
  w.get(local.clock);
  w.memory('i32.store', words.stamps);
  w.get(local.clock);
  words.ring(local.line);
  w.get(local.line);
  w.memory('i32.store', words.rings);
  w.end();
  emitNext(w, again);
  w.end();
}

/** Lines that have been used since the one in local.line are older by one. */
function emitMoveBack(w: WasmWriter, words: LineWords): void {
  const { line, age, clock, newer } = local;
  const again = w.depth;
  w.open('loop');
  const stampBefore = (): void => {
    w.get(clock);
    w.get(age);
    w.op('i32.sub');
  };
  stampBefore();
  w.const(1);
  w.op('i32.add');
  words.ring(line);
  w.memory('i32.load', words.rings);
  w.set(newer);
  stampBefore();
  words.ring(line);
  w.get(newer);
  w.memory('i32.store', words.rings);
  words.stamp(newer);
  stampBefore();
  w.memory('i32.store', words.stamps);
  w.get(age);
  w.const(1);
  w.op('i32.sub');
  w.tee(age);
  w.br(again, 'br_if');
  w.end();
}
