/** Indirect branches inside a region stay inside it: a table says which block of which region an address begins. */
import { cell } from '../../../isa/ir.ts';
import { local, localOfCell } from './locals.ts';
import type { WasmWriter } from './wasm-writer.ts';

/** One word per halfword of code: region << BLOCK_BITS | block, or 0. */
export interface EntryTable {
  readonly offset: number;
  /** Of the code. */
  readonly start: number;
  readonly bytes: number;
  readonly region: number;
}

export const BLOCK_BITS = 12;

/** Goes to the dispatching loop if the block at cell.target is of this region; goes on otherwise. */
export function emitTableLookup(table: EntryTable, w: WasmWriter, loopDepth: number): void {
  w.get(localOfCell(cell.target));
  w.const(table.start);
  w.op('i32.sub');
  w.tee(local.address);
  w.const(table.bytes);
  w.op('i32.lt_u');
  w.open('if');
  w.get(local.address);
  w.const(1);
  w.op('i32.shr_u');
  w.const(2);
  w.op('i32.shl');
  w.memory('i32.load', table.offset);
  w.tee(local.work);
  w.const(BLOCK_BITS);
  w.op('i32.shr_u');
  w.const(table.region);
  w.op('i32.eq');
  w.open('if');
  w.get(local.work);
  w.const((1 << BLOCK_BITS) - 1);
  w.op('i32.and');
  w.set(local.entry);
  w.br(loopDepth);
  w.end();
  w.end();
}
