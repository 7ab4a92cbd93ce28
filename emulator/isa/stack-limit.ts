/**
 * Stack limit checks of Armv8-M Mainline (DDI 0553B B3.21): an instruction that moves the stack pointer by arithmetic, MOV or write-back may not
 * leave it below its limit, and is looked at before it touches memory. Loads into the stack pointer are not checked.
 */
import { cell, temporary, type Expr, type Stmt } from './ir.ts';

/** Above what any instruction uses. */
const CHECKED = temporary(15);

/** The instruction with its check in front of the first access, or as it is when it needs none. */
export function checkStackLimit(body: readonly Stmt[]): readonly Stmt[] {
  const last = body.findLast((statement) => statement.k === 'set' && statement.cell === cell.sp);
  if (last?.k !== 'set') return body;
  const loaded = new Set(body.flatMap((statement) => (statement.k === 'load' ? [statement.cell] : [])));
  if (usesAny(last.value, loaded)) return body;
  const firstAccess = body.findIndex((statement) => statement.k === 'load' || statement.k === 'store');
  const at = firstAccess < 0 ? body.indexOf(last) : firstAccess;
  const check: Stmt = { k: 'system', cell: CHECKED, fn: 'checkStack', args: [last.value] };
  return [...body.slice(0, at), check, ...body.slice(at)];
}

function usesAny(e: Expr, cells: ReadonlySet<number>): boolean {
  switch (e.k) {
    case 'const':
    case 'condition':
      return false;
    case 'cell':
      return cells.has(e.cell);
    case 'op1':
      return usesAny(e.a, cells);
    case 'op2':
      return usesAny(e.a, cells) || usesAny(e.b, cells);
    case 'select':
      return usesAny(e.condition, cells) || usesAny(e.a, cells) || usesAny(e.b, cells);
    default:
      return false; // 64-bit values never reach the stack pointer
  }
}
