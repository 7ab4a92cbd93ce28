/**
 * FPv4 and FPv5 (DDI 0403E A6, A7.7.225 ff.). What rounds or raises flags is an `fp` or `fpDouble` statement; the rest is integer work on bit
 * patterns, a double being two words.
 */
import type { Fpu } from '../cores/core-facts.ts';
import { fpuOperation, fractionBits, registerOf, type FpuOperation } from '../timing/fpu-operation.ts';
import {
  and,
  cell,
  condition,
  constant,
  get,
  invert,
  join,
  or,
  select,
  set,
  shiftLeft,
  shiftRight,
  t,
  temporary,
  unsignedWide,
  xor,
  type Expr,
  type FpFunction,
  type Stmt,
  type Wide,
} from './ir.ts';
import { liftFpTransfer } from './lift-memory.ts';
import { setNZCV, setRegister, type Lifted, type Site } from './operands.ts';
import { FPSCR_MASK, roundingMode } from './float-bits.ts';
import { BY_FPSCR, MODIFIED } from './soft-float.ts';

const SIGN = constant(0x8000_0000);

/** VMOV between two core registers and two singles, or a double, which is two singles. */
function corePair(hw1: number, hw2: number): Lifted {
  const first = cell.s0 + (registerOf(hw2 & 0xf, (hw2 >> 5) & 1, (hw2 & 0x0100) !== 0) ?? 0);
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
    if (!toCore) return [set(cell.fpscr, and(get(rt), constant(FPSCR_MASK)))];
    if (rt === 15) return [set(temporary(0), get(cell.fpscr)), ...setNZCV(t(0))];
    return [setRegister(rt, get(cell.fpscr))];
  }
  const first = registerOf(hw1 & 0xf, (hw2 >> 7) & 1, (hw2 & 0x0100) !== 0) ?? 0;
  const single = cell.s0 + first + opcode;
  return [toCore ? setRegister(rt, get(single)) : set(single, get(rt))];
}

/** VFPExpandImm: the upper word of a double, or a single. */
function expandImmediate(imm8: number, double: boolean): number {
  const repeated = ((imm8 >> 6) & 1) === 1;
  const sign = (imm8 & 0x80) << 24;
  if (double) return sign | (((repeated ? 0x3fc : 0x400) | ((imm8 >> 4) & 3)) << 20) | ((imm8 & 0xf) << 16);
  return sign | (((repeated ? 0x7c : 0x80) | ((imm8 >> 4) & 3)) << 23) | ((imm8 & 0xf) << 19);
}

/** Statements on operands of one precision. A place is the first of its cells. */
interface Precision {
  readonly words: 1 | 2;
  /** place = fn(places) */
  apply(target: number, fn: FpFunction, ...from: readonly number[]): Stmt;
  /** place = fn(value that is no operand of this precision, or the place and a number) */
  convert(target: number, fn: FpFunction, from: Expr): Stmt;
  adjust(target: number, fn: FpFunction, from: number, how: number): Stmt;
  compare(target: number, first: number, second: number | null, quietIsInvalid: number): Stmt;
}

const SINGLE: Precision = {
  words: 1,
  apply: (target, fn, ...from) => ({ k: 'fp', cell: target, fn, args: from.map(get) }),
  convert: (target, fn, from) => ({ k: 'fp', cell: target, fn, args: [from] }),
  adjust: (target, fn, from, how) => ({ k: 'fp', cell: target, fn, args: [get(from), constant(how)] }),
  compare: (target, first, second, quietIsInvalid) => ({
    k: 'fp',
    cell: target,
    fn: 'compare',
    args: [get(first), second === null ? constant(0) : get(second), constant(quietIsInvalid)],
  }),
};

const pair = (place: number): Wide => join(get(place + 1), get(place));
const wideConstant = (value: number): Wide => unsignedWide(constant(value));

const DOUBLE: Precision = {
  words: 2,
  apply: (target, fn, ...from) => ({ k: 'fpDouble', cell: target, fn, args: from.map(pair) }),
  convert: (target, fn, from) => ({ k: 'fpDouble', cell: target, fn, args: [unsignedWide(from)] }),
  adjust: (target, fn, from, how) => ({ k: 'fpDouble', cell: target, fn, args: [pair(from), wideConstant(how)] }),
  compare: (target, first, second, quietIsInvalid) => ({
    k: 'fpDouble',
    cell: target,
    fn: 'compare',
    args: [pair(first), second === null ? wideConstant(0) : pair(second), wideConstant(quietIsInvalid)],
  }),
};

/** Places for intermediate values, clear of the temporaries that flags look at. */
const PRODUCT = temporary(4);
const NEGATED = temporary(6);

/** target = source with its sign changed by `sign`. */
function withSign({ words }: Precision, target: number, source: number, sign: (upper: Expr) => Expr): Stmt[] {
  const upper = set(target + words - 1, sign(get(source + words - 1)));
  return words === 1 || target === source ? [upper] : [set(target, get(source)), upper];
}

const negated = (upper: Expr): Expr => xor(upper, SIGN);
const negate = (precision: Precision, target: number, source: number): Stmt[] =>
  withSign(precision, target, source, negated);

function arithmetic({ name, d, n, m }: FpuOperation, p: Precision): Stmt[] {
  const product = p.apply(PRODUCT, 'multiply', n, m);
  switch (name) {
    case 'VADD':
      return [p.apply(d, 'add', n, m)];
    case 'VSUB':
      return [p.apply(d, 'subtract', n, m)];
    case 'VMUL':
      return [p.apply(d, 'multiply', n, m)];
    case 'VNMUL':
      return [product, ...negate(p, d, PRODUCT)];
    case 'VDIV':
      return [p.apply(d, 'divide', n, m)];
    case 'VMLA':
      return [product, p.apply(d, 'add', d, PRODUCT)];
    case 'VMLS':
      return [product, ...negate(p, PRODUCT, PRODUCT), p.apply(d, 'add', d, PRODUCT)];
    case 'VNMLS':
      return [product, ...negate(p, NEGATED, d), p.apply(d, 'add', NEGATED, PRODUCT)];
    case 'VNMLA':
      return [product, ...negate(p, PRODUCT, PRODUCT), ...negate(p, NEGATED, d), p.apply(d, 'add', NEGATED, PRODUCT)];
    case 'VFMA':
      return [p.apply(d, 'fusedMultiplyAdd', n, m, d)];
    case 'VFMS':
      return [...negate(p, PRODUCT, n), p.apply(d, 'fusedMultiplyAdd', PRODUCT, m, d)];
    case 'VFNMS':
      return [...negate(p, NEGATED, d), p.apply(d, 'fusedMultiplyAdd', n, m, NEGATED)];
    default: // VFNMA
      return [...negate(p, PRODUCT, n), ...negate(p, NEGATED, d), p.apply(d, 'fusedMultiplyAdd', PRODUCT, m, NEGATED)];
  }
}

/** VCVTB, VCVTT: a half lives in the lower or upper part of a single register. */
function halfConversion({ name, d, m }: FpuOperation, top: boolean, p: Precision): Stmt[] {
  if (name === 'VCVT from half')
    return [p.convert(d, 'fromHalf', top ? shiftRight(get(m), 16) : and(get(m), constant(0xffff)))];
  const kept = and(get(d), constant(top ? 0xffff : ~0xffff));
  return [p.apply(temporary(0), 'toHalf', m), set(d, or(kept, top ? shiftLeft(t(0), 16) : t(0)))];
}

function fixedPoint({ name, d }: FpuOperation, hw1: number, hw2: number, p: Precision): Stmt[] {
  const bytes = (hw2 & 0x80) !== 0 ? 4 : 2;
  const form = fractionBits(hw2) | (bytes << 8) | ((hw1 & 1) << 16);
  return [p.adjust(d, name === 'VCVT to fixed' ? 'toFixed' : 'fromFixed', d, form)];
}

function comparison({ name, d, m }: FpuOperation, hw2: number, p: Precision): Stmt[] {
  return [
    p.compare(temporary(0), d, name === 'VCMP' ? m : null, (hw2 >> 7) & 1),
    set(cell.fpscr, or(and(get(cell.fpscr), constant(0x0fff_ffff)), t(0))),
  ];
}

/** Bits 1:0 of the first halfword: A, N, P, M. */
const directions = [
  roundingMode.nearestAway,
  roundingMode.nearestEven,
  roundingMode.upwards,
  roundingMode.downwards,
] as const;
/** VSEL's conditions EQ, VS, GE, GT by bits 21:20. */
const selections = [0, 6, 10, 12] as const;

function selection({ d, n, m, dWords }: FpuOperation, hw1: number): Stmt[] {
  const holds = condition(selections[((hw1 >> 4) & 3) as 0 | 1 | 2 | 3]);
  return Array.from({ length: dWords }, (_, word) => set(d + word, select(holds, get(n + word), get(m + word))));
}

function conversion(operation: FpuOperation, hw1: number, hw2: number, p: Precision): Stmt[] {
  const { name, d, m } = operation;
  const bit7 = (hw2 & 0x80) !== 0;
  switch (name) {
    case 'VCVT from half':
    case 'VCVT to half':
      return halfConversion(operation, bit7, p);
    case 'VCVT from integer':
      return [p.convert(d, bit7 ? 'fromSigned' : 'fromUnsigned', get(m))];
    case 'VCVT to integer': {
      const signed = (hw1 & 1) !== 0;
      if (bit7) return [p.apply(d, signed ? 'toSignedTruncating' : 'toUnsignedTruncating', m)];
      return [p.apply(d, signed ? 'toSigned' : 'toUnsigned', m)];
    }
    case 'VCVT precision':
      return [p.words === 2 ? p.apply(d, 'toSingle', m) : DOUBLE.convert(d, 'fromSingle', get(m))];
    case 'VCVT directed':
      return [p.adjust(d, 'toIntegerBy', m, directions[(hw1 & 3) as 0 | 1 | 2 | 3] | (bit7 ? 0 : MODIFIED))];
    default:
      return fixedPoint(operation, hw1, hw2, p);
  }
}

function process(operation: FpuOperation, hw1: number, hw2: number): Stmt[] {
  const { name, double, d, n, m } = operation;
  const p = double ? DOUBLE : SINGLE;
  const round = (how: number): Stmt[] => [p.adjust(d, 'roundToIntegral', m, how)];
  switch (name) {
    case 'VMOV immediate': {
      const upper = set(d + p.words - 1, constant(expandImmediate(((hw1 & 0xf) << 4) | (hw2 & 0xf), double)));
      return double ? [set(d, constant(0)), upper] : [upper];
    }
    case 'VMOV':
      return withSign(p, d, m, (upper) => upper);
    case 'VABS':
      return withSign(p, d, m, (upper) => and(upper, invert(SIGN)));
    case 'VNEG':
      return negate(p, d, m);
    case 'VSQRT':
      return [p.apply(d, 'squareRoot', m)];
    case 'VCMP':
    case 'VCMP zero':
      return comparison(operation, hw2, p);
    case 'VRINTR':
      return round(BY_FPSCR);
    case 'VRINTX':
      return round(BY_FPSCR | MODIFIED);
    case 'VRINTZ':
      return round(roundingMode.towardsZero);
    case 'VRINT directed':
      return round(directions[(hw1 & 3) as 0 | 1 | 2 | 3]);
    case 'VSEL':
      return selection(operation, hw1);
    case 'VMAXNM':
      return [p.apply(d, 'maximum', n, m)];
    case 'VMINNM':
      return [p.apply(d, 'minimum', n, m)];
    default:
      return name.startsWith('VCVT') ? conversion(operation, hw1, hw2, p) : arithmetic(operation, p);
  }
}

export function liftFpu(hw1: number, hw2: number, site: Site, fpu: Fpu): Lifted {
  if ((hw1 & 0x0200) === 0) {
    return (hw1 & 0x01e0) === 0x0040 ? corePair(hw1, hw2) : liftFpTransfer(hw1, hw2, site);
  }
  if ((hw2 & 0x10) !== 0) return coreMove(hw1, hw2);
  const found = fpuOperation(hw1, hw2, fpu);
  if (found === null) return null;
  const { d, n, m } = found;
  return process({ ...found, d: cell.s0 + d, n: cell.s0 + n, m: cell.s0 + m }, hw1, hw2);
}
