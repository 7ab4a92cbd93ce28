/** Reversals, extensions and saturation as expressions. Operands must be free to repeat: registers or temporaries. */
import {
  and,
  constant,
  greater,
  less,
  or,
  rotateRight,
  select,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  signExtend16,
  signExtend8,
  type Expr,
} from './ir.ts';

export const EVEN_BYTES = 0x00ff_00ff;
const ODD_BYTES = 0xff00_ff00;

/** REV16: bytes swapped in each halfword. */
export function halfwordReverse(a: Expr): Expr {
  return or(and(shiftRight(a, 8), constant(EVEN_BYTES)), and(shiftLeft(a, 8), constant(ODD_BYTES)));
}

export function byteReverse(a: Expr): Expr {
  return rotateRight(halfwordReverse(a), constant(16));
}

export function signedHalfwordReverse(a: Expr): Expr {
  return signExtend16(halfwordReverse(a));
}

/** RBIT. */
export function bitReverse(a: Expr): Expr {
  const swap = (value: Expr, bits: number, mask: number): Expr =>
    or(and(shiftRight(value, bits), constant(mask)), shiftLeft(and(value, constant(mask)), bits));
  return byteReverse(swap(swap(swap(a, 1, 0x5555_5555), 2, 0x3333_3333), 4, 0x0f0f_0f0f));
}

/** SXTH, SXTB, UXTH, UXTB as the 16-bit encodings number them. */
export function extend(a: Expr, kind: number): Expr {
  switch (kind) {
    case 0:
      return signExtend16(a);
    case 1:
      return signExtend8(a);
    case 2:
      return and(a, constant(0xffff));
    default:
      return and(a, constant(0xff));
  }
}

export const lowHalf = (a: Expr): Expr => signExtend16(a);
export const highHalf = (a: Expr): Expr => shiftRightSigned(a, 16);

/** Signed halves joined; only the low 16 bits of each count. */
export function packHalves(highPart: Expr, lowPart: Expr): Expr {
  return or(shiftLeft(highPart, 16), and(lowPart, constant(0xffff)));
}

/** The value limited to minimum..maximum, signed. */
export function clamp(value: Expr, minimum: number, maximum: number): Expr {
  const upper = select(greater(value, constant(maximum)), constant(maximum), value);
  return select(less(value, constant(minimum)), constant(minimum), upper);
}
