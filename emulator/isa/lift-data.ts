/** 32-bit data processing: shifted register, modified and plain immediates, bit fields, saturation (DDI 0403E A5.3.1, A5.3.3, A5.3.11). */
import {
  add,
  and,
  cell,
  constant,
  get,
  invert,
  notEqual,
  or,
  set,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  subtract,
  t,
  temporary,
  xor,
  type Expr,
  type Stmt,
} from './ir.ts';
import { clamp, highHalf, lowHalf, packHalves } from './bits.ts';
import {
  addition,
  register,
  setNZ,
  setRegister,
  shiftImmediate,
  type Addition,
  type Lifted,
  type Site,
} from './operands.ts';

interface Operand {
  readonly value: Expr;
  /** Carry out of the shifter, null if C stays. */
  readonly carry: Expr | null;
}

/** ThumbExpandImm_C (A5.3.2). */
function expandImmediate(imm12: number): Operand {
  const byte = imm12 & 0xff;
  if (imm12 >> 10 !== 0) {
    const amount = imm12 >> 7;
    const unrotated = 0x80 | (imm12 & 0x7f);
    const value = (unrotated >>> amount) | (unrotated << (32 - amount));
    return { value: constant(value), carry: constant(value >>> 31) };
  }
  const patterns = [byte, byte * 0x0001_0001, byte * 0x0100_0100, byte * 0x0101_0101];
  return { value: constant(patterns[imm12 >> 8]!), carry: null };
}

const imm12Of = (hw1: number, hw2: number): number => ((hw1 & 0x0400) << 1) | ((hw2 >> 4) & 0x0700) | (hw2 & 0xff);

const additions: Readonly<Record<number, Addition>> = {
  8: 'add',
  10: 'addCarry',
  11: 'subtractCarry',
  13: 'subtract',
  14: 'reverse',
};

function bitwise(opcode: number, rn: number, a: Expr, b: Expr): Expr {
  switch (opcode) {
    case 0:
      return and(a, b);
    case 1:
      return and(a, invert(b));
    case 2:
      return rn === 15 ? b : or(a, b);
    case 3:
      return rn === 15 ? invert(b) : or(a, invert(b));
    default:
      return xor(a, b);
  }
}

/** Opcodes 0..14 of the modified-immediate and shifted-register groups but PKH. */
function operate(hw1: number, hw2: number, operand: Operand, site: Site): Stmt[] {
  const opcode = (hw1 >> 5) & 0xf;
  const flags = (hw1 & 0x10) !== 0;
  const rn = hw1 & 0xf;
  const rd = (hw2 >> 8) & 0xf;
  // Rd 15 turns AND, EOR, ADD and SUB into TST, TEQ, CMN and CMP.
  const discards = rd === 15;
  const kind = additions[opcode];
  if (kind !== undefined) {
    const body = addition(kind, register(rn, site), operand.value, flags);
    return discards ? body : [...body, setRegister(rd, t(2))];
  }
  const body = [set(temporary(0), bitwise(opcode, rn, register(rn, site), operand.value))];
  if (flags && operand.carry !== null) body.push(set(cell.carry, operand.carry));
  if (!discards) body.push(setRegister(rd, t(0)));
  if (flags) body.push(...setNZ(t(0)));
  return body;
}

export function liftShiftedRegister(hw1: number, hw2: number, site: Site): Lifted {
  const amount = ((hw2 >> 10) & 0x1c) | ((hw2 >> 6) & 3);
  const type = (hw2 >> 4) & 3;
  const rm = register(hw2 & 0xf, site);
  if (((hw1 >> 5) & 0xf) !== 6) return operate(hw1, hw2, shiftImmediate(rm, type, amount), site);
  const shifted = shiftImmediate(rm, type & 2, amount).value;
  const rn = register(hw1 & 0xf, site);
  const mask = constant(0xffff);
  const value =
    (type & 2) === 0
      ? or(and(rn, mask), and(shifted, constant(~0xffff)))
      : or(and(rn, constant(~0xffff)), and(shifted, mask));
  return [setRegister((hw2 >> 8) & 0xf, value)];
}

export function liftModifiedImmediate(hw1: number, hw2: number, site: Site): Lifted {
  return operate(hw1, hw2, expandImmediate(imm12Of(hw1, hw2)), site);
}

/** SSAT, USAT, and their 16-bit pairs. */
function saturate(hw1: number, hw2: number): Stmt[] {
  const unsigned = (hw1 & 0x80) !== 0;
  const rn = get(hw1 & 0xf);
  const amount = ((hw2 >> 10) & 0x1c) | ((hw2 >> 6) & 3);
  const arithmeticShift = (hw1 & 0x20) !== 0;
  const bits = hw2 & 0x1f;
  const rd = (hw2 >> 8) & 0xf;
  const [minimum, maximum] = unsigned ? [0, 2 ** bits - 1] : [-(2 ** bits), 2 ** bits - 1];
  if (arithmeticShift && amount === 0) return saturateHalves(rd, rn, hw2 & 0xf, unsigned);
  return [
    set(temporary(0), arithmeticShift ? shiftRightSigned(rn, amount) : shiftLeft(rn, amount)),
    set(temporary(1), clamp(t(0), minimum, maximum)),
    set(cell.saturated, or(get(cell.saturated), notEqual(t(0), t(1)))),
    setRegister(rd, t(1)),
  ];
}

function saturateHalves(rd: number, rn: Expr, bits: number, unsigned: boolean): Stmt[] {
  const [minimum, maximum] = unsigned ? [0, 2 ** bits - 1] : [-(2 ** bits), 2 ** bits - 1];
  const differs = or(notEqual(t(0), t(1)), notEqual(t(2), t(3)));
  return [
    set(temporary(0), lowHalf(rn)),
    set(temporary(1), clamp(t(0), minimum, maximum)),
    set(temporary(2), highHalf(rn)),
    set(temporary(3), clamp(t(2), minimum, maximum)),
    set(cell.saturated, or(get(cell.saturated), differs)),
    setRegister(rd, packHalves(t(3), t(1))),
  ];
}

export function liftPlainImmediate(hw1: number, hw2: number, site: Site): Lifted {
  const rd = (hw2 >> 8) & 0xf;
  const rn = hw1 & 0xf;
  const imm12 = imm12Of(hw1, hw2);
  const imm16 = ((hw1 & 0xf) << 12) | imm12;
  const base = rn === 15 ? constant((site.address + 4) & ~3) : get(rn);
  const lsb = ((hw2 >> 10) & 0x1c) | ((hw2 >> 6) & 3);
  const last = hw2 & 0x1f;
  switch ((hw1 >> 4) & 0x1f) {
    case 0:
      return [setRegister(rd, add(base, constant(imm12)))];
    case 10:
      return [setRegister(rd, subtract(base, constant(imm12)))];
    case 4:
      return [setRegister(rd, constant(imm16))];
    case 12:
      return [setRegister(rd, or(and(get(rd), constant(0xffff)), constant(imm16 << 16)))];
    case 16:
    case 18:
    case 24:
    case 26:
      return saturate(hw1, hw2);
    case 20:
    case 28: {
      // A field that reaches past bit 31 is UNPREDICTABLE; it ends there.
      const width = Math.min(last + 1, 32 - lsb);
      const top = shiftLeft(get(rn), 32 - lsb - width);
      const signed = ((hw1 >> 4) & 0x1f) === 20;
      return [setRegister(rd, signed ? shiftRightSigned(top, 32 - width) : shiftRight(top, 32 - width))];
    }
    case 22:
      return bitFieldInsert(rd, rn, lsb, last);
    default:
      return null;
  }
}

/** BFI, and BFC when Rn is 15. An end below the start is UNPREDICTABLE and changes nothing. */
function bitFieldInsert(rd: number, rn: number, lsb: number, last: number): Stmt[] {
  if (last < lsb) return [];
  const width = last - lsb + 1;
  const mask = (width === 32 ? -1 : (1 << width) - 1) << lsb;
  const kept = and(get(rd), constant(~mask));
  if (rn === 15) return [setRegister(rd, kept)];
  return [setRegister(rd, or(kept, and(shiftLeft(get(rn), lsb), constant(mask))))];
}
