/** The host's operations on singles, and when their results are surely the core's. */
import { cell, type FpFunction, type Stmt } from '../../../isa/ir.ts';
import { isSingle } from './cell-locals.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { local, localOfCell } from './locals.ts';
import { I32, type Opcode } from './wasm-writer.ts';

type FpStatement = Extract<Stmt, { k: 'fp' }>;

/** Of FPSCR. */
export const INEXACT_BIT = 4;
const FLOAT_2_31 = 2 ** 31;
/** Of a single without its sign, shifted to the top. */
const EXPONENT_SHIFT = 24;

const arithmetic: Readonly<Partial<Record<FpFunction, Opcode>>> = {
  add: 'f32.add',
  subtract: 'f32.sub',
  multiply: 'f32.mul',
  divide: 'f32.div',
};

/** How the host does it. */
export interface HostOperation {
  /** Leaves the result in `single`, its bits in `work`, and on the stack whether it holds where INEXACT is set already. */
  readonly compute: () => void;
  /** Leaves whether it holds, and exactly, whatever INEXACT is; absent: that is not looked at. */
  readonly exactly?: () => void;
}

const operandOf =
  ({ args }: FpStatement, x: ExpressionEmitter) =>
  (index: number): void => {
    const arg = args[index]!;
    if (arg.k === 'cell' && isSingle(arg.cell)) {
      x.w.get(localOfCell(arg.cell));
      return;
    }
    x.expression(arg);
    x.w.op('f32.reinterpret_i32');
  };

/** Null: the host's does not help. */
export function hostOperation(statement: FpStatement, x: ExpressionEmitter): HostOperation | null {
  const { w } = x;
  const { fn } = statement;
  const operation = arithmetic[fn];
  if (operation !== undefined) return binaryArithmetic(statement, operation, x);
  switch (fn) {
    case 'squareRoot':
      return {
        compute: () => {
          operandOf(statement, x)(0);
          w.op('f32.sqrt');
          isSafeResult(x);
        },
      };
    case 'fusedMultiplyAdd':
      return fused(statement, x);
    case 'fromSigned':
    case 'fromUnsigned':
      return {
        compute: () => {
          x.expression(statement.args[0]!);
          w.op(fn === 'fromSigned' ? 'f32.convert_i32_s' : 'f32.convert_i32_u');
          w.set(local.single);
          w.const(1);
        },
      };
    default:
      return null;
  }
}

/** Leaves the result in `work` and whether it holds in the usual mode; null: the host's operation does not help. */
export function fastAttempt(statement: FpStatement, x: ExpressionEmitter): (() => void) | null {
  const { fn } = statement;
  const operand = operandOf(statement, x);
  switch (fn) {
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
function binaryArithmetic(statement: FpStatement, operation: Opcode, x: ExpressionEmitter): HostOperation {
  const { w } = x;
  const { fn, args } = statement;
  const operand = operandOf(statement, x);
  const compute = (): void => {
    operand(0);
    operand(1);
    w.op(operation);
    isSafeResult(x);
  };
  switch (fn) {
    case 'divide':
      return { compute };
    case 'multiply':
      return {
        compute,
        exactly: () => {
          isZero(x);
          zeroOperands(x, args);
          w.op('i32.and');
        },
      };
    default:
      // Sums are zero only exactly.
      return {
        compute,
        exactly: () => {
          isSafe(x);
          zeroOperands(x, args);
          w.op('i32.and');
          isZero(x);
          w.op('i32.or');
        },
      };
  }
}

/** For what is on the stack, which becomes `single` and `work`. */
function isSafeResult(x: ExpressionEmitter): void {
  const { w } = x;
  w.tee(local.single);
  w.op('i32.reinterpret_f32');
  w.set(local.work);
  isSafe(x);
}

/** 1 if the single in `work` lies well inside the normal range: exponent field 2..253. */
function isSafe(x: ExpressionEmitter): void {
  const { w } = x;
  w.get(local.work);
  w.const(1);
  w.op('i32.shl');
  w.const(2 << EXPONENT_SHIFT);
  w.op('i32.sub');
  w.const((252 << EXPONENT_SHIFT) | 0);
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

/** 1 if one of the first two operands is a zero. */
function zeroOperands(x: ExpressionEmitter, args: FpStatement['args']): void {
  for (const index of [0, 1]) {
    x.expression(args[index]!);
    x.w.const(1);
    x.w.op('i32.shl', 'i32.eqz');
  }
  x.w.op('i32.or');
}

/**
 * The product is exact as a double; the sum is rounded once there and again to single. The second rounding can go wrong only where the
 * double lies exactly between two singles.
 */
function fused(statement: FpStatement, x: ExpressionEmitter): HostOperation {
  const { w } = x;
  const operand = operandOf(statement, x);
  const holds = (): void => {
    isSafe(x);
    w.get(local.double);
    w.op('i64.reinterpret_f64', 'i32.wrap_i64');
    w.const(0x1fff_ffff);
    w.op('i32.and');
    w.const(0x1000_0000);
    w.op('i32.ne', 'i32.and');
  };
  return {
    compute: () => {
      for (const index of [0, 1]) {
        operand(index);
        w.op('f64.promote_f32');
      }
      w.op('f64.mul');
      operand(2);
      w.op('f64.promote_f32', 'f64.add');
      w.tee(local.double);
      w.op('f32.demote_f64');
      w.tee(local.single);
      w.op('i32.reinterpret_f32');
      w.set(local.work);
      holds();
    },
    exactly: () => {
      holds();
      zeroOperands(x, statement.args);
      w.op('i32.and');
      w.get(local.double);
      w.double(0);
      w.op('f64.eq', 'i32.or');
    },
  };
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
