/** Registers as operands, shifts with carry, additions with flags, conditions (DDI 0403E A2.2.1, A2.3, A7.3, A7.4.2). */
import {
  above,
  add,
  and,
  below,
  belowOrSame,
  cell,
  constant,
  get,
  greaterOrEqual,
  invert,
  less,
  not,
  notEqual,
  or,
  rotateRight,
  select,
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

/** What is being lifted: where it stands and whether its 16-bit form sets flags. */
export interface Site {
  readonly address: number;
  readonly inIt: boolean;
}

/** Statements of one instruction, or null where this core has none. */
export type Lifted = readonly Stmt[] | null;

const SP_MASK = ~3;

/** A register's value; the pc reads as the instruction's address + 4. */
export function register(number: number, site: Site): Expr {
  return number === 15 ? constant(site.address + 4) : get(number);
}

/** Sets a register that is not the pc. The low bits of the stack pointer do not exist. */
export function setRegister(number: number, value: Expr): Stmt {
  return set(number, number === cell.sp ? and(value, constant(SP_MASK)) : value);
}

/** A register that may be the pc: writing that is a branch without interworking (BranchWritePC). */
export function setRegisterOrBranch(number: number, value: Expr): Stmt {
  return number === 15 ? { k: 'branch', target: value } : setRegister(number, value);
}

/** N and Z from a value that has no effects to repeat: a temporary or a register. */
export function setNZ(value: Expr): Stmt[] {
  return [set(cell.negative, value), set(cell.zero, value)];
}

export type ShiftType = 0 | 1 | 2 | 3;

/** Value and carry out of a shift by a constant. Type and amount as encoded: LSR and ASR by 0 mean 32, ROR by 0 is RRX. */
export function shiftImmediate(
  value: Expr,
  type: number,
  amount: number,
): { readonly value: Expr; readonly carry: Expr | null } {
  switch (type) {
    case 0:
      if (amount === 0) return { value, carry: null };
      return { value: shiftLeft(value, amount), carry: and(shiftRight(value, 32 - amount), constant(1)) };
    case 1:
      if (amount === 0) return { value: constant(0), carry: shiftRight(value, 31) };
      return { value: shiftRight(value, amount), carry: and(shiftRight(value, amount - 1), constant(1)) };
    case 2: {
      const bits = amount === 0 ? 32 : amount;
      return {
        value: shiftRightSigned(value, Math.min(bits, 31)),
        carry: and(shiftRight(value, bits - 1), constant(1)),
      };
    }
    default:
      if (amount === 0)
        return {
          value: or(shiftRight(value, 1), shiftLeft(get(cell.carry), 31)),
          carry: and(value, constant(1)),
        };
      return {
        value: rotateRight(value, constant(amount)),
        carry: and(shiftRight(value, amount - 1), constant(1)),
      };
  }
}

/** Value and carry out of a shift by a register's low byte; `value` and `amount` (0..255) must be free to repeat. */
export function shiftRegister(value: Expr, type: number, amount: Expr): { readonly value: Expr; readonly carry: Expr } {
  const none = not(amount);
  const keep = (carry: Expr): Expr => select(none, get(cell.carry), carry);
  const last = subtract(amount, constant(1));
  switch (type) {
    case 0:
      return {
        value: select(below(amount, constant(32)), shiftLeft(value, amount), constant(0)),
        carry: keep(
          select(
            belowOrSame(amount, constant(32)),
            and(shiftRight(value, subtract(constant(32), amount)), constant(1)),
            constant(0),
          ),
        ),
      };
    case 1:
      return {
        value: select(below(amount, constant(32)), shiftRight(value, amount), constant(0)),
        carry: keep(select(belowOrSame(amount, constant(32)), and(shiftRight(value, last), constant(1)), constant(0))),
      };
    case 2: {
      const small = below(amount, constant(32));
      return {
        value: shiftRightSigned(value, select(small, amount, constant(31))),
        carry: keep(and(shiftRight(value, select(small, last, constant(31))), constant(1))),
      };
    }
    default:
      return { value: rotateRight(value, amount), carry: keep(and(shiftRight(value, last), constant(1))) };
  }
}

export type Addition = 'add' | 'addCarry' | 'subtract' | 'subtractCarry' | 'reverse';

/** The result of an addition or subtraction goes to temporary 2; with `flags` N Z C V are set. Uses temporaries 0..2. */
export function addition(kind: Addition, first: Expr, second: Expr, flags: boolean): Stmt[] {
  const [a, b] = kind === 'reverse' ? [second, first] : [first, second];
  const body: Stmt[] = [set(temporary(0), a), set(temporary(1), b)];
  const [x, y, result] = [t(0), t(1), t(2)];
  const isSubtraction = kind === 'subtract' || kind === 'reverse';
  switch (kind) {
    case 'add':
      body.push(set(temporary(2), add(x, y)));
      break;
    case 'addCarry':
      body.push(set(temporary(2), add(add(x, y), get(cell.carry))));
      break;
    case 'subtractCarry':
      body.push(set(temporary(1), invert(y)), set(temporary(2), add(add(x, y), get(cell.carry))));
      break;
    default:
      body.push(set(temporary(2), subtract(x, y)));
  }
  if (!flags) return body;
  if (kind === 'add' || isSubtraction)
    return [...body, { k: 'carryOverflow', subtraction: isSubtraction }, ...setNZ(result)];
  const carry = shiftRight(or(and(x, y), and(or(x, y), invert(result))), 31);
  const overflow = and(xor(x, result), xor(y, result));
  return [...body, set(cell.carry, carry), set(cell.overflow, overflow), ...setNZ(result)];
}

const signsDiffer = (): Expr => xor(get(cell.negative), get(cell.overflow));

/** Whether a condition 0..13 holds, as 0 or 1. */
export function conditionHolds(condition: number): Expr {
  const zero = get(cell.zero);
  switch (condition) {
    case 0:
      return not(zero);
    case 1:
      return notEqual(zero, constant(0));
    case 2:
      return get(cell.carry);
    case 3:
      return not(get(cell.carry));
    case 4:
      return less(get(cell.negative), constant(0));
    case 5:
      return greaterOrEqual(get(cell.negative), constant(0));
    case 6:
      return less(get(cell.overflow), constant(0));
    case 7:
      return greaterOrEqual(get(cell.overflow), constant(0));
    case 8:
      return and(get(cell.carry), notEqual(zero, constant(0)));
    case 9:
      return or(not(get(cell.carry)), not(zero));
    case 10:
      return greaterOrEqual(signsDiffer(), constant(0));
    case 11:
      return less(signsDiffer(), constant(0));
    case 12:
      return and(above(zero, constant(0)), greaterOrEqual(signsDiffer(), constant(0)));
    default:
      return or(not(zero), less(signsDiffer(), constant(0)));
  }
}

/** APSR's NZCVQ in bits 31:27 and GE in 19:16. */
export function apsr(): Expr {
  return or(
    or(
      or(and(get(cell.negative), constant(0x8000_0000)), shiftLeft(not(get(cell.zero)), 30)),
      or(shiftLeft(get(cell.carry), 29), shiftLeft(shiftRight(get(cell.overflow), 31), 28)),
    ),
    or(shiftLeft(get(cell.saturated), 27), shiftLeft(get(cell.greaterEqual), 16)),
  );
}

/** N Z C V from bits 31:28 of a temporary. */
export function setNZCV(value: Expr): Stmt[] {
  return [
    set(cell.negative, value),
    set(cell.zero, and(invert(value), constant(1 << 30))),
    set(cell.carry, and(shiftRight(value, 29), constant(1))),
    set(cell.overflow, shiftLeft(value, 3)),
  ];
}
