/**
 * Two halfwords at a time on the host's SIMD unit: SXTB16 is one or two shifts, a sum of products (SMLAD and the like) one operation. A
 * register that SXTB16 has set is kept as a vector, too, so that products take it from there; a JavaScript engine drops whichever of the
 * two is not used. Only lane 0 of a vector counts.
 */
import { cell, type Expr } from '../../../isa/ir.ts';
import { local, VECTORS } from './locals.ts';
import type { WasmWriter } from './wasm-writer.ts';

const HALF_BITS = 8;
export const SIGN_BIT = 31;

export class VectorEmitter {
  private readonly w: WasmWriter;
  private readonly expression: (e: Expr) => void;
  /** Registers whose vector holds what they do. */
  private readonly known = new Set<number>();
  /** Code that may not run leaves no vectors behind. */
  private conditional = false;

  constructor(w: WasmWriter, expression: (e: Expr) => void) {
    this.w = w;
    this.expression = expression;
  }

  startBlock(): void {
    this.known.clear();
  }

  setConditional(conditional: boolean): void {
    this.conditional = conditional;
  }

  changes(cell: number): void {
    this.known.delete(cell);
  }

  /** Leaves the sum of products of halfwords on the stack. */
  dot(a: Expr, b: Expr): void {
    const { w } = this;
    this.operand(a);
    this.operand(b);
    w.vector('i32x4.dot_i16x8_s');
    w.firstLane();
  }

  /** Leaves bytes 0 and 2 as halfwords on the stack. */
  extendBytes(value: Expr): void {
    this.extended(value);
    this.w.firstLane();
  }

  /** The same for a register, which is to be set to what is on the stack. */
  extendInto(register: number, value: Expr): void {
    this.extended(value);
    if (register < VECTORS) this.w.tee(local.vectors + register);
    this.w.firstLane();
  }

  /** After that register has been set. */
  keep(register: number): void {
    if (register < VECTORS && !this.conditional) this.known.add(register);
  }

  private operand(e: Expr): void {
    if (e.k === 'cell' && this.known.has(e.cell)) {
      this.w.get(local.vectors + e.cell);
      return;
    }
    this.expression(e);
    this.w.vector('i32x4.splat');
  }

  /** After a rotation by 8 the bytes are the upper ones of their halves: one shift is enough. */
  private extended(value: Expr): void {
    const { w } = this;
    const isUpper =
      value.k === 'op2' && value.op === 'i32.rotr' && value.b.k === 'const' && value.b.value === HALF_BITS;
    this.expression(isUpper ? value.a : value);
    w.vector('i32x4.splat');
    if (!isUpper) {
      w.const(HALF_BITS);
      w.vector('i16x8.shl');
    }
    w.const(HALF_BITS);
    w.vector('i16x8.shr_s');
  }
}

/** The value whose sign bit is added to Q, or null where something else is assigned to it. */
export function gatheredSign(value: Expr): Expr | null {
  if (value.k !== 'op2' || value.op !== 'i32.or' || value.a.k !== 'cell' || value.a.cell !== cell.saturated)
    return null;
  const { b } = value;
  const isSign = b.k === 'op2' && b.op === 'i32.shr_u' && b.b.k === 'const' && b.b.value === SIGN_BIT;
  return isSign ? b.a : null;
}
