/** Loads and stores of one or several registers (DDI 0403E A7.7: LDR, STR, LDM, STM, PUSH, POP and what shares their rules). */
import { add, and, cell, constant, get, set, t, temporary, type Expr, type Stmt } from './ir.ts';
import { countBits } from '../timing/instruction.ts';
import { setRegister } from './operands.ts';

/** Loads one register that is not the pc. The stack pointer drops its low bits. */
export function loadSingle(rt: number, bytes: 1 | 2 | 4, signed: boolean, address: Expr): Stmt {
  return { k: 'load', cell: rt, bytes, signed, address, aligned: false };
}

export function storeSingle(rt: number, bytes: 1 | 2 | 4, address: Expr): Stmt {
  return { k: 'store', bytes, address, value: get(rt), aligned: false };
}

export function loadWord(target: number, address: Expr): Stmt {
  return { k: 'load', cell: target, bytes: 4, signed: false, address, aligned: true };
}

/** LDM, POP. The base changes only after all loads; it keeps its loaded value if it is in the list. */
export function loadMultiple(rn: number, list: number, decrement: boolean, writeBack: boolean): Stmt[] {
  const bytes = 4 * countBits(list);
  const base = temporary(0);
  const body: Stmt[] = [set(base, decrement ? add(get(rn), constant(-bytes)) : get(rn))];
  const end = decrement ? t(0) : add(t(0), constant(bytes));
  let offset = 0;
  for (let number = 0; number < 16; number++) {
    if ((list & (1 << number)) === 0) continue;
    // What a failing access must leave alone comes last: the base, the stack pointer and the pc.
    const target = number === rn ? temporary(1) : number === 15 ? temporary(2) : number;
    body.push(loadWord(target, add(t(0), constant(offset))));
    offset += 4;
  }
  if ((list & (1 << rn)) !== 0) body.push(setRegister(rn, t(1)));
  else if (writeBack) body.push(setRegister(rn, end));
  if ((list & (1 << cell.sp)) !== 0 && rn !== cell.sp) body.push(set(cell.sp, and(get(cell.sp), constant(~3))));
  if ((list & 0x8000) !== 0) body.push({ k: 'interwork', target: t(2) });
  return body;
}

/** STM, PUSH. */
export function storeMultiple(rn: number, list: number, decrement: boolean, writeBack: boolean): Stmt[] {
  const bytes = 4 * countBits(list);
  const body: Stmt[] = [set(temporary(0), decrement ? add(get(rn), constant(-bytes)) : get(rn))];
  let offset = 0;
  for (let number = 0; number < 15; number++) {
    if ((list & (1 << number)) === 0) continue;
    body.push({ k: 'store', bytes: 4, address: add(t(0), constant(offset)), value: get(number), aligned: true });
    offset += 4;
  }
  if (writeBack) body.push(setRegister(rn, decrement ? t(0) : add(t(0), constant(bytes))));
  return body;
}
