/** The interpreter's half of the semantics table: every expression and statement as a closure over the core's state. */
import {
  cell,
  high,
  low,
  narrowResults,
  type Expr,
  type Op1,
  type Op2,
  type Stmt,
  type Wide,
  type WideOp,
} from '../../isa/ir.ts';
import { conditionHolds } from '../../isa/operands.ts';
import { RESULT_WORD } from '../../isa/soft-float.ts';
import type { CoreState } from './core-state.ts';
import { AccessFault } from './guest-memory.ts';

type Evaluate = () => number;
type EvaluateWide = () => bigint;
export type Action = () => void;

const unary: Readonly<Record<Op1, (a: number) => number>> = {
  'i32.eqz': (a) => (a === 0 ? 1 : 0),
  'i32.clz': (a) => Math.clz32(a),
  'i32.extend8_s': (a) => (a << 24) >> 24,
  'i32.extend16_s': (a) => (a << 16) >> 16,
  extendBytes: (a) => (((a << 8) >> 24) << 16) | (((a << 24) >> 24) & 0xffff),
};

const truth = (holds: boolean): number => (holds ? 1 : 0);

const binary: Readonly<Record<Op2, (a: number, b: number) => number>> = {
  'i32.add': (a, b) => (a + b) | 0,
  'i32.sub': (a, b) => (a - b) | 0,
  'i32.mul': (a, b) => Math.imul(a, b),
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.xor': (a, b) => a ^ b,
  'i32.shl': (a, b) => a << b,
  'i32.shr_s': (a, b) => a >> b,
  'i32.shr_u': (a, b) => (a >>> b) | 0,
  'i32.rotr': (a, b) => (a >>> (b & 31)) | (a << (-b & 31)),
  'i32.eq': (a, b) => truth(a === b),
  'i32.ne': (a, b) => truth(a !== b),
  'i32.lt_s': (a, b) => truth(a < b),
  'i32.lt_u': (a, b) => truth(a >>> 0 < b >>> 0),
  'i32.gt_s': (a, b) => truth(a > b),
  'i32.gt_u': (a, b) => truth(a >>> 0 > b >>> 0),
  'i32.le_u': (a, b) => truth(a >>> 0 <= b >>> 0),
  'i32.ge_u': (a, b) => truth(a >>> 0 >= b >>> 0),
  'i32.ge_s': (a, b) => truth(a >= b),
  divide_s: (a, b) => (b === 0 ? 0 : (a / b) | 0),
  divide_u: (a, b) => (b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0),
  dotHalves: (a, b) => (((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16)) | 0,
};

const wideBinary: Readonly<Record<WideOp, (a: bigint, b: bigint) => bigint>> = {
  'i64.add': (a, b) => BigInt.asIntN(64, a + b),
  'i64.sub': (a, b) => BigInt.asIntN(64, a - b),
  'i64.mul': (a, b) => BigInt.asIntN(64, a * b),
  'i64.shr_s': (a, b) => a >> b,
};

export function expression(e: Expr, core: CoreState): Evaluate {
  const { cells } = core;
  switch (e.k) {
    case 'const': {
      const { value } = e;
      return () => value;
    }
    case 'cell': {
      const number = e.cell;
      return () => cells[number]!;
    }
    case 'op1': {
      const f = unary[e.op];
      const a = expression(e.a, core);
      return () => f(a());
    }
    case 'op2':
      return binaryExpression(binary[e.op], e.a, e.b, core);
    case 'select': {
      const condition = expression(e.condition, core);
      const a = expression(e.a, core);
      const b = expression(e.b, core);
      return () => (condition() !== 0 ? a() : b());
    }
    case 'condition':
      return expression(conditionHolds(e.code), core);
    case 'low': {
      const a = wideExpression(e.a, core);
      return () => Number(BigInt.asIntN(32, a()));
    }
    case 'high': {
      const a = wideExpression(e.a, core);
      return () => Number(BigInt.asIntN(32, a() >> 32n));
    }
    case 'exceeds32': {
      const a = wideExpression(e.a, core);
      return () => {
        const value = a();
        return truth(BigInt.asIntN(32, value) !== value);
      };
    }
  }
}

/** Cells and constants are read without a call. */
function binaryExpression(f: (a: number, b: number) => number, left: Expr, right: Expr, core: CoreState): Evaluate {
  const { cells } = core;
  if (left.k === 'cell') {
    const x = left.cell;
    if (right.k === 'const') {
      const { value } = right;
      return () => f(cells[x]!, value);
    }
    if (right.k === 'cell') {
      const y = right.cell;
      return () => f(cells[x]!, cells[y]!);
    }
    const b = expression(right, core);
    return () => f(cells[x]!, b());
  }
  const a = expression(left, core);
  const b = expression(right, core);
  return () => f(a(), b());
}

function wideExpression(e: Wide, core: CoreState): EvaluateWide {
  switch (e.k) {
    case 'extend': {
      const a = expression(e.a, core);
      return e.signed ? () => BigInt(a()) : () => BigInt(a() >>> 0);
    }
    case 'join': {
      const upper = expression(e.high, core);
      const lower = expression(e.low, core);
      return () => (BigInt(upper()) << 32n) | BigInt(lower() >>> 0);
    }
    case 'wide2': {
      const f = wideBinary[e.op];
      const a = wideExpression(e.a, core);
      const b = wideExpression(e.b, core);
      return () => f(a(), b());
    }
  }
}

export function statements(list: readonly Stmt[], core: CoreState): Action[] {
  return list.map((statement) => action(statement, core));
}

function action(statement: Stmt, core: CoreState): Action {
  const { cells } = core;
  switch (statement.k) {
    case 'set': {
      const number = statement.cell;
      const value = expression(statement.value, core);
      return () => {
        cells[number] = value();
      };
    }
    case 'load':
    case 'store':
      return access(statement, core);
    case 'carryOverflow':
      return carryOverflow(statement.subtraction, core);
    case 'when': {
      const condition = expression(statement.condition, core);
      const then = statements(statement.then, core);
      return () => {
        if (condition() !== 0) for (const step of then) step();
      };
    }
    case 'branch': {
      const target = expression(statement.target, core);
      return () => {
        core.branch(target());
      };
    }
    case 'interwork': {
      const target = expression(statement.target, core);
      return () => {
        core.interwork(target());
      };
    }
    case 'fp':
      return floatingPoint(statement, core);
    case 'fpDouble':
      return doublePrecision(statement, core);
    case 'system': {
      const { fn, cell: number } = statement;
      const args = statement.args.map((arg) => expression(arg, core));
      return () => {
        cells[number] = core.system(
          fn,
          args.map((arg) => arg()),
        );
      };
    }
  }
}

function carryOverflow(subtraction: boolean, core: CoreState): Action {
  const { cells } = core;
  const t0 = cell.temporary;
  return () => {
    const a = cells[t0]!;
    const b = cells[t0 + 1]!;
    const result = cells[t0 + 2]!;
    if (subtraction) {
      cells[cell.carry] = truth(a >>> 0 >= b >>> 0);
      cells[cell.overflow] = (a ^ b) & (a ^ result);
    } else {
      cells[cell.carry] = truth(result >>> 0 < a >>> 0);
      cells[cell.overflow] = (a ^ result) & (b ^ result);
    }
  };
}

function access(statement: Extract<Stmt, { k: 'load' | 'store' }>, core: CoreState): Action {
  const { cells, memory } = core;
  const { bytes, aligned, asUser = false } = statement;
  const addressOf = expression(statement.address, core);
  const checked = (access: 'read' | 'write'): Evaluate => {
    if (!aligned || bytes === 1) return addressOf;
    return () => {
      const address = addressOf();
      if ((address & (bytes - 1)) !== 0) throw new AccessFault(access, 'unaligned', address >>> 0);
      return address;
    };
  };
  if (statement.k === 'store') {
    const address = checked('write');
    const value = expression(statement.value, core);
    const store = (): void => {
      memory.write(address(), bytes, value());
    };
    return asUser ? unprivileged(store, core) : store;
  }
  const address = checked('read');
  const number = statement.cell;
  const unusedBits = statement.signed ? 32 - bytes * 8 : 0;
  const load = (): void => {
    cells[number] = (memory.read(address(), bytes) << unusedBits) >> unusedBits;
  };
  return asUser ? unprivileged(load, core) : load;
}

/** LDRT, STRT and the like: only the memory protection unit and the system control space know the difference. */
function unprivileged(access: Action, { memory }: CoreState): Action {
  return () => {
    memory.asUser = true;
    try {
      access();
    } finally {
      memory.asUser = false;
    }
  };
}

function floatingPoint(statement: Extract<Stmt, { k: 'fp' }>, core: CoreState): Action {
  const { cells, softFloat } = core;
  const { fn, cell: number } = statement;
  const [a, b, c] = statement.args.map((arg) => expression(arg, core));
  return () => {
    softFloat.fpscr = cells[cell.fpscr]!;
    const result = softFloat.apply(fn, a!(), b === undefined ? 0 : b(), c === undefined ? 0 : c());
    cells[cell.fpscr] = softFloat.fpscr;
    cells[number] = result;
  };
}

/** Low and high half of a 64-bit value, without forming it where it is given as halves. */
function halves(e: Wide, core: CoreState): readonly [Evaluate, Evaluate] {
  if (e.k === 'join') return [expression(e.low, core), expression(e.high, core)];
  return [expression(low(e), core), expression(high(e), core)];
}

function doublePrecision(statement: Extract<Stmt, { k: 'fpDouble' }>, core: CoreState): Action {
  const { cells, softFloat } = core;
  const { words } = softFloat;
  const { fn, cell: number } = statement;
  const operands = statement.args.flatMap((arg) => halves(arg, core));
  const isNarrow = narrowResults.has(fn);
  return () => {
    for (let index = 0; index < operands.length; index++) words[index] = operands[index]!();
    softFloat.fpscr = cells[cell.fpscr]!;
    softFloat.applyDouble(fn);
    cells[cell.fpscr] = softFloat.fpscr;
    cells[number] = words[RESULT_WORD]!;
    if (!isNarrow) cells[number + 1] = words[RESULT_WORD + 1]!;
  };
}
