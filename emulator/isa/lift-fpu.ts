/** FPv4-SP-D16 (DDI 0403E A6, A7.7.225 ff.). What rounds or raises flags is an `fp` statement; the rest is integer work on bit patterns. */
import {
  and,
  cell,
  constant,
  get,
  invert,
  or,
  set,
  shiftLeft,
  shiftRight,
  t,
  temporary,
  xor,
  type Expr,
  type FpFunction,
  type Stmt,
} from './ir.ts';
import { liftFpTransfer } from './lift-memory.ts';
import { setNZCV, setRegister, type Lifted, type Site } from './operands.ts';
import { FPSCR_MASK } from './float-bits.ts';

const SIGN = constant(0x8000_0000);
const negate = (bits: Expr): Expr => xor(bits, SIGN);

interface Operands {
  readonly d: number;
  readonly n: number;
  readonly m: number;
}

function operandsOf(hw1: number, hw2: number): Operands {
  return {
    d: cell.s0 + (((hw2 >> 12) << 1) | ((hw1 >> 6) & 1)),
    n: cell.s0 + (((hw1 & 0xf) << 1) | ((hw2 >> 7) & 1)),
    m: cell.s0 + (((hw2 & 0xf) << 1) | ((hw2 >> 5) & 1)),
  };
}

const fp = (target: number, fn: FpFunction, ...args: Expr[]): Stmt => ({ k: 'fp', cell: target, fn, args });

/** VMOV between two core registers and two singles, or a double, which is two singles. */
function corePair(hw1: number, hw2: number): Lifted {
  const isDouble = (hw2 & 0x0100) !== 0;
  if (isDouble && (hw2 & 0x20) !== 0) return null;
  const first = isDouble ? cell.s0 + (hw2 & 0xf) * 2 : operandsOf(hw1, hw2).m;
  if (first + 1 >= cell.s0 + 32) return null;
  const [rt, rt2] = [hw2 >> 12, hw1 & 0xf];
  return (hw1 & 0x10) !== 0
    ? [setRegister(rt, get(first)), setRegister(rt2, get(first + 1))]
    : [set(first, get(rt)), set(first + 1, get(rt2))];
}

function coreMove(hw1: number, hw2: number): Lifted {
  const toCore = (hw1 & 0x10) !== 0;
  const opcode = (hw1 >> 5) & 7;
  const rt = hw2 >> 12;
  if (opcode === 7) {
    if ((hw1 & 0xf) !== 1) return null;
    if (!toCore) return [set(cell.fpscr, and(get(rt), constant(FPSCR_MASK)))];
    if (rt === 15) return [set(temporary(0), get(cell.fpscr)), ...setNZCV(t(0))];
    return [setRegister(rt, get(cell.fpscr))];
  }
  const isDouble = (hw2 & 0x0100) !== 0;
  if (isDouble && (hw2 & 0x80) !== 0) return null;
  const single = isDouble ? cell.s0 + (hw1 & 0xf) * 2 + (opcode & 1) : operandsOf(hw1, hw2).n;
  return [toCore ? setRegister(rt, get(single)) : set(single, get(rt))];
}

/** VFPExpandImm for singles. */
function expandImmediate(imm8: number): Expr {
  const exponent = (((imm8 >> 6) & 1) === 1 ? 0x7c : 0x80) | ((imm8 >> 4) & 3);
  return constant(((imm8 & 0x80) << 24) | (exponent << 23) | ((imm8 & 0xf) << 19));
}

/** VCVTB, VCVTT: a half lives in the lower or upper part of a single register. */
function halfConversion(toHalf: boolean, top: boolean, { d, m }: Operands): Stmt[] {
  if (!toHalf) return [fp(d, 'fromHalf', top ? shiftRight(get(m), 16) : and(get(m), constant(0xffff)))];
  const kept = and(get(d), constant(top ? 0xffff : ~0xffff));
  return [fp(temporary(0), 'toHalf', get(m)), set(d, or(kept, top ? shiftLeft(t(0), 16) : t(0)))];
}

function fixedPoint(hw1: number, hw2: number, d: number): Lifted {
  const toFixed = (hw1 & 4) !== 0;
  const bytes = (hw2 & 0x80) !== 0 ? 4 : 2;
  const fractionBits = bytes * 8 - (((hw2 & 0xf) << 1) | ((hw2 >> 5) & 1));
  if (fractionBits < 0) return null;
  const form = constant(fractionBits | (bytes << 8) | ((hw1 & 1) << 16));
  return [fp(d, toFixed ? 'toFixed' : 'fromFixed', get(d), form)];
}

function extensionOperation(hw1: number, hw2: number): Lifted {
  const operands = operandsOf(hw1, hw2);
  const { d, m } = operands;
  const operation = hw1 & 0xf;
  const variant = (hw2 & 0x80) !== 0;
  if ((hw2 & 0x40) === 0) return [set(d, expandImmediate(((hw1 & 0xf) << 4) | (hw2 & 0xf)))];
  switch (operation) {
    case 0:
      return [set(d, variant ? and(get(m), invert(SIGN)) : get(m))];
    case 1:
      return [variant ? fp(d, 'squareRoot', get(m)) : set(d, negate(get(m)))];
    case 2:
    case 3:
      return halfConversion(operation === 3, variant, operands);
    case 4:
    case 5:
      return [
        fp(temporary(0), 'compare', get(d), operation === 5 ? constant(0) : get(m), constant(variant ? 1 : 0)),
        set(cell.fpscr, or(and(get(cell.fpscr), constant(0x0fff_ffff)), t(0))),
      ];
    case 8:
      return [fp(d, variant ? 'fromSigned' : 'fromUnsigned', get(m))];
    case 12:
      return [fp(d, variant ? 'toUnsignedTruncating' : 'toUnsigned', get(m))];
    case 13:
      return [fp(d, variant ? 'toSignedTruncating' : 'toSigned', get(m))];
    case 10:
    case 11:
    case 14:
    case 15:
      return fixedPoint(hw1, hw2, d);
    default:
      return null;
  }
}

function arithmetic(hw1: number, hw2: number): Lifted {
  const opcode = ((hw1 >> 5) & 4) | ((hw1 >> 4) & 3);
  if (opcode === 7) return extensionOperation(hw1, hw2);
  const { d, n, m } = operandsOf(hw1, hw2);
  const op = (hw2 & 0x40) !== 0;
  const product = fp(temporary(0), 'multiply', get(n), get(m));
  switch (opcode) {
    case 0: // VMLA, VMLS
      return [product, fp(d, 'add', get(d), op ? negate(t(0)) : t(0))];
    case 1: // VNMLS, VNMLA
      return [product, fp(d, 'add', negate(get(d)), op ? negate(t(0)) : t(0))];
    case 2: // VMUL, VNMUL
      return op ? [product, set(d, negate(t(0)))] : [fp(d, 'multiply', get(n), get(m))];
    case 3:
      return [fp(d, op ? 'subtract' : 'add', get(n), get(m))];
    case 4:
      return [fp(d, 'divide', get(n), get(m))];
    case 5: // VFNMS, VFNMA
      return [fp(d, 'fusedMultiplyAdd', op ? negate(get(n)) : get(n), get(m), negate(get(d)))];
    default: // VFMA, VFMS
      return [fp(d, 'fusedMultiplyAdd', op ? negate(get(n)) : get(n), get(m), get(d))];
  }
}

export function liftFpu(hw1: number, hw2: number, site: Site): Lifted {
  if ((hw1 & 0x0200) === 0) {
    return (hw1 & 0x01e0) === 0x0040 ? corePair(hw1, hw2) : liftFpTransfer(hw1, hw2, site);
  }
  return (hw2 & 0x10) !== 0 ? coreMove(hw1, hw2) : arithmetic(hw1, hw2);
}
