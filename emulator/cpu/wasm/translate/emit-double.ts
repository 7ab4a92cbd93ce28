/** Double precision in translated code: operands and result of soft-float.ts travel through memory. */
import { narrowResults, type Stmt } from '../../../isa/ir.ts';
import { RESULT_WORD } from '../../../isa/soft-float.ts';
import { DOUBLES_OFFSET } from '../core-state.ts';
import { setCell } from './cell-locals.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { callSoftFloat, DOUBLE_FUNCTIONS, fpFunctions } from './emit-float.ts';

type DoubleStatement = Extract<Stmt, { k: 'fpDouble' }>;

const DOUBLE_BYTES = 8;
const RESULT_OFFSET = DOUBLES_OFFSET + RESULT_WORD * 4;

export function emitDouble(statement: DoubleStatement, x: ExpressionEmitter): void {
  slowCall(statement, x);
}

function slowCall({ fn, args, cell: number }: DoubleStatement, x: ExpressionEmitter): void {
  const { w } = x;
  for (const [index, arg] of args.entries()) {
    w.const(0);
    x.wide(arg);
    w.memory('i64.store', DOUBLES_OFFSET + index * DOUBLE_BYTES);
  }
  callSoftFloat(DOUBLE_FUNCTIONS + fpFunctions.indexOf(fn), [], x);
  w.op('drop');
  for (const half of narrowResults.has(fn) ? [0] : [0, 1]) {
    w.const(0);
    w.memory('i32.load', RESULT_OFFSET + half * 4);
    setCell(w, number + half);
  }
}
