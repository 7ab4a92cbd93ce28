/**
 * Floating point in translated code: the host's operation where its result and flags are surely the core's (rounding to nearest, no
 * flush-to-zero, result well inside the normal range with INEXACT already set or an operand zero, or a result that is exactly zero),
 * else a call into soft-float.ts.
 */
import { cell, type Expr, type FpFunction, type Stmt } from '../../../isa/ir.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { local, localOfCell } from './locals.ts';
import { I32, type Opcode } from './wasm-writer.ts';

type FpStatement = Extract<Stmt, { k: 'fp' }>;

/** Order of the functions in calls from translated code. */
export const fpFunctions: readonly FpFunction[] = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'squareRoot',
  'fusedMultiplyAdd',
  'fromSigned',
  'fromUnsigned',
  'toSigned',
  'toUnsigned',
  'toSignedTruncating',
  'toUnsignedTruncating',
  'toFixed',
  'fromFixed',
  'toHalf',
  'fromHalf',
  'compare',
  'maximum',
  'minimum',
  'roundToIntegral',
  'toIntegerBy',
  'toSingle',
  'fromSingle',
];
/** Added to the number of a function on doubles, whose operands and result are in memory. */
export const DOUBLE_FUNCTIONS = 64;

/** RMode and FZ. */
const MODE_MASK = 0x01c0_0000;
const INEXACT_BIT = 4;
const FLUSH_TO_ZERO = 1 << 24;
/** Index of the imported soft-float function. */
const SOFT_FLOAT = 0;
const FLOAT_2_31 = 2 ** 31;

const arithmetic: Readonly<Partial<Record<FpFunction, Opcode>>> = {
  add: 'f32.add',
  subtract: 'f32.sub',
  multiply: 'f32.mul',
  divide: 'f32.div',
};

export function emitFloatingPoint(statement: FpStatement, x: ExpressionEmitter): void {
  const { w } = x;
  const { fn } = statement;
  const attempt = fastAttempt(statement, x);
  if (attempt === null) {
    slowCall(statement, x);
  } else {
    w.get(localOfCell(cell.fpscr));
    w.const(fn === 'compare' ? FLUSH_TO_ZERO : MODE_MASK);
    w.op('i32.and', 'i32.eqz');
    w.open('if', I32);
    // Leaves the result in `work` and whether it holds on the stack.
    attempt();
    w.else();
    w.const(0);
    w.end();
    w.open('if', I32);
    w.get(local.work);
    w.else();
    slowCall(statement, x);
    w.end();
  }
  w.set(localOfCell(statement.cell));
}

function slowCall({ fn, args }: FpStatement, x: ExpressionEmitter): void {
  callSoftFloat(fpFunctions.indexOf(fn), args, x);
}

/** Leaves the function's result. FPSCR travels through memory, where the function reads and updates it. */
export function callSoftFloat(number: number, args: readonly Expr[], x: ExpressionEmitter): void {
  const { w } = x;
  w.const(0);
  w.get(localOfCell(cell.fpscr));
  w.memory('i32.store', cell.fpscr * 4);
  w.const(number);
  for (let index = 0; index < 3; index++) {
    const arg = args[index];
    if (arg === undefined) w.const(0);
    else x.expression(arg);
  }
  w.call(SOFT_FLOAT);
  w.const(0);
  w.memory('i32.load', cell.fpscr * 4);
  w.set(localOfCell(cell.fpscr));
}

function fastAttempt(statement: FpStatement, x: ExpressionEmitter): (() => void) | null {
  const { w } = x;
  const { fn, args } = statement;
  const operand = (index: number): void => {
    x.expression(args[index]!);
    w.op('f32.reinterpret_i32');
  };
  const operation = arithmetic[fn];
  if (operation !== undefined) {
    return () => {
      binaryArithmetic(statement, operation, x, operand);
    };
  }
  switch (fn) {
    case 'squareRoot':
      return () => {
        operand(0);
        w.op('f32.sqrt', 'i32.reinterpret_f32');
        w.set(local.work);
        isSafe(x);
        inexactKnown(x);
        w.op('i32.and');
      };
    case 'fusedMultiplyAdd':
      return () => {
        fused(x, operand, args);
      };
    case 'fromSigned':
    case 'fromUnsigned':
      return () => {
        x.expression(args[0]!);
        w.op(fn === 'fromSigned' ? 'f32.convert_i32_s' : 'f32.convert_i32_u', 'i32.reinterpret_f32');
        w.set(local.work);
        inexactKnown(x);
      };
    case 'toSigned':
    case 'toSignedTruncating':
      return () => {
        toSigned(x, operand, fn === 'toSigned');
      };
    case 'compare':
      return () => {
        compare(x, operand);
      };
    default:
      return null;
  }
}

/** Addition, subtraction, multiplication, division. */
function binaryArithmetic(
  { fn, args }: FpStatement,
  operation: Opcode,
  x: ExpressionEmitter,
  operand: (index: number) => void,
): void {
  const { w } = x;
  operand(0);
  operand(1);
  w.op(operation, 'i32.reinterpret_f32');
  w.set(local.work);
  const isSum = fn === 'add' || fn === 'subtract';
  isSafe(x);
  inexactKnown(x);
  if (isSum) {
    zeroOperand(x, args, 0);
    zeroOperand(x, args, 1);
    w.op('i32.or', 'i32.or');
  }
  w.op('i32.and');
  // Sums are zero only exactly; a product is if a factor is.
  isZero(x);
  if (fn === 'multiply') {
    zeroOperand(x, args, 0);
    zeroOperand(x, args, 1);
    w.op('i32.or', 'i32.and');
  }
  if (fn === 'divide') {
    w.op('drop');
    w.const(0);
  }
  w.op('i32.or');
}

/** 1 if the single in `work` lies well inside the normal range: exponent field 2..253. */
function isSafe(x: ExpressionEmitter): void {
  const { w } = x;
  w.get(local.work);
  w.const(23);
  w.op('i32.shr_u');
  w.const(0xff);
  w.op('i32.and');
  w.const(2);
  w.op('i32.sub');
  w.const(252);
  w.op('i32.lt_u');
}

/** 1 if INEXACT is set already, so that an inexact result changes no flag. */
function inexactKnown(x: ExpressionEmitter): void {
  const { w } = x;
  w.get(localOfCell(cell.fpscr));
  w.const(INEXACT_BIT);
  w.op('i32.shr_u');
  w.const(1);
  w.op('i32.and');
}

function isZero(x: ExpressionEmitter): void {
  const { w } = x;
  w.get(local.work);
  w.const(1);
  w.op('i32.shl', 'i32.eqz');
}

function zeroOperand(x: ExpressionEmitter, args: FpStatement['args'], index: number): void {
  x.expression(args[index]!);
  x.w.const(1);
  x.w.op('i32.shl', 'i32.eqz');
}

/**
 * The product is exact as a double; the sum is rounded once there and again to single. The second rounding can go wrong only where the
 * double lies exactly between two singles.
 */
function fused(x: ExpressionEmitter, operand: (index: number) => void, args: FpStatement['args']): void {
  const { w } = x;
  for (const index of [0, 1]) {
    operand(index);
    w.op('f64.promote_f32');
  }
  w.op('f64.mul');
  operand(2);
  w.op('f64.promote_f32', 'f64.add');
  w.tee(local.double);
  w.op('f32.demote_f64', 'i32.reinterpret_f32');
  w.set(local.work);
  isSafe(x);
  w.get(local.double);
  w.op('i64.reinterpret_f64', 'i32.wrap_i64');
  w.const(0x1fff_ffff);
  w.op('i32.and');
  w.const(0x1000_0000);
  w.op('i32.ne', 'i32.and');
  inexactKnown(x);
  zeroOperand(x, args, 0);
  zeroOperand(x, args, 1);
  w.op('i32.or', 'i32.or', 'i32.and');
  w.get(local.double);
  w.double(0);
  w.op('f64.eq', 'i32.or');
}

function toSigned(x: ExpressionEmitter, operand: (index: number) => void, nearest: boolean): void {
  const { w } = x;
  operand(0);
  if (nearest) w.op('f32.nearest');
  w.tee(local.single);
  w.op('f32.abs');
  w.single(FLOAT_2_31);
  w.op('f32.lt');
  w.open('if', I32);
  w.get(local.single);
  w.op('i32.trunc_f32_s');
  w.set(local.work);
  inexactKnown(x);
  w.else();
  w.const(0);
  w.end();
}

/** Flags of two numbers that are no NaN. */
function compare(x: ExpressionEmitter, operand: (index: number) => void): void {
  const { w } = x;
  w.const(0x6000_0000);
  w.const(0x8000_0000 | 0);
  w.const(0x2000_0000);
  operand(0);
  operand(1);
  w.op('f32.lt', 'select');
  operand(0);
  operand(1);
  w.op('f32.eq', 'select');
  w.set(local.work);
  for (const index of [0, 1]) {
    operand(index);
    operand(index);
    w.op('f32.eq');
  }
  w.op('i32.and');
}
