/** Cells in locals: those of s0 to s31 are f32, so that a chain of operations on singles never leaves the host's registers for them. */
import { cell } from '../../../isa/ir.ts';
import { localOfCell } from './locals.ts';
import type { WasmWriter } from './wasm-writer.ts';

export const SINGLES = cell.temporary - cell.s0;

export const isSingle = (number: number): boolean => number >= cell.s0 && number < cell.temporary;

/** Leaves the cell's 32 bits. */
export function getCell(w: WasmWriter, number: number): void {
  w.get(localOfCell(number));
  if (isSingle(number)) w.op('i32.reinterpret_f32');
}

/** Takes 32 bits. */
export function setCell(w: WasmWriter, number: number): void {
  if (isSingle(number)) w.op('f32.reinterpret_i32');
  w.set(localOfCell(number));
}

/** Takes a single. */
export function setSingle(w: WasmWriter, number: number): void {
  if (!isSingle(number)) w.op('i32.reinterpret_f32');
  w.set(localOfCell(number));
}
