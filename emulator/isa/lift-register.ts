/** 32-bit register operations: shifts, extensions, parallel arithmetic, saturating arithmetic, reversals, SEL (DDI 0403E A5.3.12..15). */
import {
  EVEN_BYTES,
  bitReverse,
  byteReverse,
  clamp,
  extend,
  halfwordReverse,
  highHalf,
  lowHalf,
  packHalves,
} from './bits.ts';
import { signedHalfwordReverse } from './bits.ts';
import {
  extendBytes,
  add,
  and,
  bitOf,
  cell,
  constant,
  countLeadingZeros,
  exceeds32,
  get,
  greaterOrEqual,
  invert,
  multiply,
  or,
  rotateRight,
  select,
  set,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  signedWide,
  low,
  signExtend8,
  subtract,
  t,
  temporary,
  wideAdd,
  wideSubtract,
  less,
  xor,
  type Expr,
  type Stmt,
  type Wide,
} from './ir.ts';
import { setNZ, setRegister, shiftRegister, type Lifted } from './operands.ts';

function shiftByRegister(hw1: number, hw2: number): Stmt[] {
  const flags = (hw1 & 0x10) !== 0;
  const amount = set(temporary(1), and(get(hw2 & 0xf), constant(0xff)));
  const shifted = shiftRegister(get(hw1 & 0xf), (hw1 >> 5) & 3, t(1));
  const body = [amount, set(temporary(0), shifted.value)];
  if (flags) body.push(set(cell.carry, shifted.carry));
  body.push(setRegister((hw2 >> 8) & 0xf, t(0)));
  return flags ? [...body, ...setNZ(t(0))] : body;
}

/** SXTAH UXTAH SXTAB16 UXTAB16 SXTAB UXTAB; without the addition when Rn is 15. */
function extendAndAdd(hw1: number, hw2: number): Stmt[] {
  const rn = hw1 & 0xf;
  const source = set(temporary(0), rotateRight(get(hw2 & 0xf), constant(((hw2 >> 4) & 3) * 8)));
  const rd = (hw2 >> 8) & 0xf;
  const operation = (hw1 >> 4) & 7;
  const unsigned = (operation & 1) !== 0;
  if (operation === 2 || operation === 3) {
    // Not by way of the temporary, so that the translator sees the rotation.
    const rotation = ((hw2 >> 4) & 3) * 8;
    const rotated = rotation === 0 ? get(hw2 & 0xf) : rotateRight(get(hw2 & 0xf), constant(rotation));
    const bytes = unsigned ? and(rotated, constant(EVEN_BYTES)) : extendBytes(rotated);
    if (rn === 15) return [setRegister(rd, bytes)];
    const part = (value: Expr): Expr => (unsigned ? and(value, constant(0xff)) : signExtend8(value));
    const lower = part(t(0));
    const upper = part(shiftRight(t(0), 16));
    return [source, setRegister(rd, packHalves(add(shiftRight(get(rn), 16), upper), add(get(rn), lower)))];
  }
  const value = extend(t(0), (operation < 2 ? 0 : 1) + (unsigned ? 2 : 0));
  return [source, setRegister(rd, rn === 15 ? value : add(get(rn), value))];
}

const bytePart = (value: Expr, index: number, unsigned: boolean): Expr =>
  unsigned ? and(shiftRight(value, index * 8), constant(0xff)) : signExtend8(shiftRight(value, index * 8));

const halfPart = (value: Expr, upper: boolean, unsigned: boolean): Expr => {
  if (unsigned) return upper ? shiftRight(value, 16) : and(value, constant(0xffff));
  return upper ? highHalf(value) : lowHalf(value);
};

/** One lane result as the prefix asks: 0 plain (with GE), 1 saturating, 2 halving. Signed and unsigned ranges of `bits`. */
function finishLane(value: Expr, variant: number, unsigned: boolean, bits: number): Expr {
  if (variant === 0) return value;
  if (variant === 2) return shiftRightSigned(value, 1);
  return unsigned ? clamp(value, 0, 2 ** bits - 1) : clamp(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
}

/** What sets a GE bit: no borrow, carry out of an unsigned addition, or a sum not negative. */
function laneGreaterEqual(sum: Expr, isSubtraction: boolean, unsigned: boolean, bits: number): Expr {
  return greaterOrEqual(sum, constant(unsigned && !isSubtraction ? 2 ** bits : 0));
}

/** ADD8 ADD16 ASX SAX SUB8 SUB16 with prefixes S Q SH U UQ UH. */
function parallel(hw1: number, hw2: number): Stmt[] {
  const operation = (hw1 >> 4) & 7;
  const variant = (hw2 >> 4) & 3;
  const unsigned = (hw2 & 0x40) !== 0;
  const rn = get(hw1 & 0xf);
  const rm = get(hw2 & 0xf);
  const rd = (hw2 >> 8) & 0xf;
  const isBytes = operation === 0 || operation === 4;
  const lanes = isBytes ? 4 : 2;
  const bits = isBytes ? 8 : 16;
  // Per lane, lowest first: whether it subtracts, and for ASX and SAX the halves of Rm are exchanged.
  const exchange = operation === 2 || operation === 6;
  const subtracts = (lane: number): boolean => {
    if (operation === 2) return lane === 0;
    if (operation === 6) return lane === 1;
    return operation >= 4;
  };
  const body: Stmt[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const a = isBytes ? bytePart(rn, lane, unsigned) : halfPart(rn, lane === 1, unsigned);
    const b = isBytes ? bytePart(rm, lane, unsigned) : halfPart(rm, (lane === 1) !== exchange, unsigned);
    body.push(set(temporary(lane), subtracts(lane) ? subtract(a, b) : add(a, b)));
  }
  let result = constant(0);
  let ge = constant(0);
  const laneMask = constant(2 ** bits - 1);
  for (let lane = 0; lane < lanes; lane++) {
    const value = finishLane(t(lane), variant, unsigned, bits);
    result = or(result, shiftLeft(and(value, laneMask), lane * bits));
    const bit = laneGreaterEqual(t(lane), subtracts(lane), unsigned, bits);
    ge = or(ge, multiply(bit, constant(isBytes ? 1 << lane : 3 << (lane * 2))));
  }
  if (variant === 0) body.push(set(cell.greaterEqual, ge));
  return [...body, setRegister(rd, result)];
}

/** A 64-bit value limited to 32 bits; the sign of the whole says which limit. Sets Q. Value in temporary `to`. */
function saturate32(value: Wide, to: number, signSource: Expr): Stmt[] {
  return [
    set(temporary(to + 1), exceeds32(value)),
    set(cell.saturated, or(get(cell.saturated), t(to + 1))),
    set(
      temporary(to),
      select(t(to + 1), select(less(signSource, constant(0)), constant(-(2 ** 31)), constant(2 ** 31 - 1)), low(value)),
    ),
  ];
}

/** QADD QDADD QSUB QDSUB: Rm + or - Rn. On overflow Rm has the sign of the true result. */
function saturatingArithmetic(hw1: number, hw2: number): Stmt[] {
  const operation = (hw2 >> 4) & 3;
  const rn = get(hw1 & 0xf);
  const rm = get(hw2 & 0xf);
  const doubles = (operation & 1) !== 0;
  const body = doubles ? saturate32(wideAdd(signedWide(rn), signedWide(rn)), 0, rn) : [set(temporary(0), rn)];
  const combine = operation < 2 ? wideAdd : wideSubtract;
  return [
    ...body,
    ...saturate32(combine(signedWide(rm), signedWide(t(0))), 2, rm),
    setRegister((hw2 >> 8) & 0xf, t(2)),
  ];
}

function reversal(kind: number, rm: Expr): Expr {
  switch (kind) {
    case 0:
      return byteReverse(rm);
    case 1:
      return halfwordReverse(rm);
    case 2:
      return bitReverse(rm);
    default:
      return signedHalfwordReverse(rm);
  }
}

function selectBytes(rn: Expr, rm: Expr, rd: number): Stmt[] {
  let mask = constant(0);
  for (let lane = 0; lane < 4; lane++) {
    const bit = lane === 0 ? and(get(cell.greaterEqual), constant(1)) : bitOf(get(cell.greaterEqual), lane);
    mask = or(mask, multiply(bit, constant(0xff << (lane * 8))));
  }
  return [set(temporary(0), mask), setRegister(rd, or(and(rn, t(0)), and(rm, invert(t(0)))))];
}

export function liftRegisterOperation(hw1: number, hw2: number): Lifted {
  const op1 = (hw1 >> 4) & 0xf;
  const op2 = (hw2 >> 4) & 0xf;
  if (op1 < 8) return op2 === 0 ? shiftByRegister(hw1, hw2) : extendAndAdd(hw1, hw2);
  if (op2 < 8) return parallel(hw1, hw2);
  const rd = (hw2 >> 8) & 0xf;
  if (op1 === 8) return saturatingArithmetic(hw1, hw2);
  if (op1 === 9) return [setRegister(rd, reversal(op2 & 3, get(hw2 & 0xf)))];
  if (op1 === 10) return selectBytes(get(hw1 & 0xf), get(hw2 & 0xf), rd);
  return [setRegister(rd, countLeadingZeros(get(hw2 & 0xf)))];
}

/** USAD8, USADA8. */
export function liftSumOfDifferences(hw1: number, hw2: number): Lifted {
  const ra = hw2 >> 12;
  let sum = ra === 15 ? constant(0) : get(ra);
  const body: Stmt[] = [];
  for (let lane = 0; lane < 4; lane++) {
    body.push(
      set(temporary(lane), subtract(bytePart(get(hw1 & 0xf), lane, true), bytePart(get(hw2 & 0xf), lane, true))),
    );
    const sign = shiftRightSigned(t(lane), 31);
    sum = add(sum, subtract(xor(t(lane), sign), sign));
  }
  return [...body, setRegister((hw2 >> 8) & 0xf, sum)];
}

/** Q becomes 1 when the sign bit of a value is set. */
export function stickySign(value: Expr): Stmt {
  return set(cell.saturated, or(get(cell.saturated), shiftRight(value, 31)));
}
