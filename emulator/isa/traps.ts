/** What CCR makes trap on Armv7-M and Armv8-M Mainline (DDI 0403E B3.2.8): code is made anew when a bit changes, and pays nothing without it. */
import { temporary, type Stmt } from './ir.ts';

/** Above what any instruction uses, and not the stack check's. */
const CHECKED = temporary(14);

/** UNALIGN_TRP, and Armv6-M and v8-M Baseline always (DDI 0419C A3.2.1): every unaligned access is refused. */
export function alwaysAligned(statement: Stmt): Stmt {
  if (statement.k === 'load' || statement.k === 'store') return { ...statement, aligned: true };
  return statement.k === 'when' ? { ...statement, then: statement.then.map(alwaysAligned) } : statement;
}

/** DIV_0_TRP: the divisor is looked at before the divide. */
export function checkDivisor(body: readonly Stmt[]): readonly Stmt[] {
  for (const statement of body) {
    if (statement.k !== 'set' || statement.value.k !== 'op2') continue;
    const { op, b } = statement.value;
    if (op === 'divide_s' || op === 'divide_u')
      return [{ k: 'system', cell: CHECKED, fn: 'checkDivisor', args: [b] }, ...body];
  }
  return body;
}
