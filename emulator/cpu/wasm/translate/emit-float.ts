/**
 * Floating point in translated code: the host's operation where its result and flags are surely the core's (rounding to nearest, no
 * flush-to-zero, result well inside the normal range with INEXACT already set or an operand zero, or a result that is exactly zero),
 * else a call into soft-float.ts.
 */
import { cell, type Expr, type FpFunction, type Stmt } from '../../../isa/ir.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { setCell, setSingle } from './cell-locals.ts';
import { fastAttempt, hostOperation, INEXACT_BIT, type HostOperation } from './host-float.ts';
import { local, localOfCell } from './locals.ts';
import { F32, I32 } from './wasm-writer.ts';

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
const FLUSH_TO_ZERO = 1 << 24;
/** Index of the imported soft-float function. */
const SOFT_FLOAT = 0;

export function emitFloatingPoint(statement: FpStatement, x: ExpressionEmitter): void {
  const operation = hostOperation(statement, x);
  if (operation !== null) common(statement, operation, x);
  else {
    const attempt = fastAttempt(statement, x);
    if (attempt === null) slowCall(statement, x);
    else guarded(statement, attempt, x);
    setCell(x.w, statement.cell);
  }
}

/** One test in nearly all cases: the mode is the usual one and INEXACT is set, the result is well inside the normal range. */
function common(statement: FpStatement, { compute, exactly }: HostOperation, x: ExpressionEmitter): void {
  const { w } = x;
  compute();
  w.get(localOfCell(cell.fpscr));
  w.const(MODE_MASK | (1 << INEXACT_BIT));
  w.op('i32.and');
  w.const(1 << INEXACT_BIT);
  w.op('i32.eq', 'i32.and');
  w.open('if', F32);
  w.get(local.single);
  w.else();
  if (exactly === undefined) slowCall(statement, x);
  else guarded(statement, exactly, x);
  w.op('f32.reinterpret_i32');
  w.end();
  setSingle(w, statement.cell);
}

/** @param attempt leaves the result in `work` and whether it holds, in the usual mode, on the stack */
function guarded(statement: FpStatement, attempt: () => void, x: ExpressionEmitter): void {
  const { w } = x;
  w.get(localOfCell(cell.fpscr));
  w.const(statement.fn === 'compare' ? FLUSH_TO_ZERO : MODE_MASK);
  w.op('i32.and', 'i32.eqz');
  w.open('if', I32);
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
