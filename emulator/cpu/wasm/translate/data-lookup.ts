/** DataLines.use (emulator/timing/data-lines.ts) as WebAssembly, for lines that are not the last one. */
import type { DataLines } from '../../../timing/data-lines.ts';
import { wasmModule } from './wasm-module.ts';
import { I32, WasmWriter } from './wasm-writer.ts';

interface ReplaceLocals {
  readonly line: number;
  /** Work space: where the head of the line's set is, the way that gets the line, the line that was there. */
  readonly headAt: number;
  readonly way: number;
  readonly old: number;
}

/** Word at a local's number, counted from a place of DataLines. */
class Words {
  private readonly w: WasmWriter;
  private readonly at: number;

  constructor(w: WasmWriter, at: number) {
    this.w = w;
    this.at = at;
  }

  place(index: number): void {
    this.w.get(index);
    this.w.const(2);
    this.w.op('i32.shl');
  }

  load(index: number, first: number): void {
    this.place(index);
    this.w.memory('i32.load', this.at + first * 4);
  }

  store(index: number, first: number, value: number): void {
    this.place(index);
    this.w.get(value);
    this.w.memory('i32.store', this.at + first * 4);
  }
}

/** Leaves in a local the word at which the head of the line's set is. */
function findSet(w: WasmWriter, lines: DataLines, line: number, headAt: number): void {
  const { head } = lines.places();
  w.get(line);
  w.const(lines.setMask);
  w.op('i32.and');
  w.const(head);
  w.op('i32.add');
  w.set(headAt);
}

/** A line that is not in the cache takes the place of the least recently used one. @param at where the words of the lines are */
export function emitReplace(w: WasmWriter, lines: DataLines, at: number, use: ReplaceLocals): void {
  const { before, line: lineOf } = lines.places();
  const { line, headAt, way, old } = use;
  const words = new Words(w, at);
  const byLine = at + lines.wordBytes;
  findSet(w, lines, line, headAt);
  words.load(headAt, 0);
  w.set(way);
  words.load(way, before);
  w.set(way);
  words.load(way, lineOf);
  w.set(old);
  // NO_LINE has a byte of its own, in front of the others.
  w.get(old);
  w.const(byLine);
  w.op('i32.add');
  w.const(0);
  w.memory('i32.store8', 0);
  words.store(way, lineOf, line);
  w.get(line);
  w.get(way);
  w.const(1);
  w.op('i32.add');
  w.memory('i32.store8', byLine);
  words.store(headAt, 0, way);
}

const local = { line: 0, headAt: 1, way: 2, head: 3, previous: 4, next: 5, tail: 6 } as const;

/** A line of the cache that is not the last one used becomes the most recently used of its set. */
function emitToFront(w: WasmWriter, lines: DataLines, at: number): void {
  const { before, after } = lines.places();
  const words = new Words(w, at);
  findSet(w, lines, local.line, local.headAt);
  words.load(local.headAt, 0);
  w.set(local.head);
  w.get(local.line);
  w.memory('i32.load8_u', at + lines.wordBytes);
  w.const(1);
  w.op('i32.sub');
  w.tee(local.way);
  w.get(local.head);
  w.op('i32.ne');
  w.open('if');
  words.load(local.way, before);
  w.set(local.previous);
  words.load(local.way, after);
  w.set(local.next);
  words.store(local.previous, after, local.next);
  words.store(local.next, before, local.previous);
  words.load(local.head, before);
  w.set(local.tail);
  words.store(local.tail, after, local.way);
  words.store(local.way, before, local.tail);
  words.store(local.way, after, local.head);
  words.store(local.head, before, local.way);
  words.store(local.headAt, 0, local.way);
  w.end();
}

/** @param at where the words of the lines are */
export function lookupModule(lines: DataLines, at: number): Uint8Array {
  const w = new WasmWriter();
  emitToFront(w, lines, at);
  w.const(0);
  w.op('end');
  const locals = [{ count: 5, type: I32 }];
  return wasmModule({ parameters: [I32, I32], imports: ['memory'], body: w.body(), locals });
}
