/** The translator's half of the semantics table: expressions as WebAssembly over locals, with C and V computed only where they are used. */
import { cell, type Expr, type Op2, type Wide } from '../../../isa/ir.ts';
import { conditionHolds } from '../../../isa/operands.ts';
import { flagKind, isMemoryCell, local, localOfCell, type FlagKind } from './locals.ts';
import { I32, type Opcode, type WasmWriter } from './wasm-writer.ts';

/** What is known about the flags at this point of a block; null: only the locals know. */
export interface FlagState {
  carry: FlagKind | null;
  overflow: FlagKind | null;
  /** All four flags come from comparing flagA with flagB. */
  comparison: boolean;
}

/** Conditions 0..3 and 8..13 after a comparison. */
const afterComparison: Readonly<Partial<Record<number, Opcode>>> = {
  0: 'i32.eq',
  1: 'i32.ne',
  2: 'i32.ge_u',
  3: 'i32.lt_u',
  8: 'i32.gt_u',
  9: 'i32.le_u',
  10: 'i32.ge_s',
  11: 'i32.lt_s',
  12: 'i32.gt_s',
  13: 'i32.le_s',
};

export class ExpressionEmitter {
  readonly w: WasmWriter;
  flags: FlagState = { carry: null, overflow: null, comparison: false };

  /** Between C and V of a subtraction and its N and Z, which come right after. */
  private inComparison = false;

  constructor(writer: WasmWriter) {
    this.w = writer;
  }

  expression(e: Expr): void {
    const { w } = this;
    switch (e.k) {
      case 'const':
        w.const(e.value);
        break;
      case 'cell':
        this.readCell(e.cell);
        break;
      case 'op1':
        this.expression(e.a);
        w.op(e.op);
        break;
      case 'op2':
        this.binary(e.op, e.a, e.b);
        break;
      case 'select':
        this.expression(e.a);
        this.expression(e.b);
        this.expression(e.condition);
        w.op('select');
        break;
      case 'condition':
        this.condition(e.code);
        break;
      case 'low':
        this.wide(e.a);
        w.op('i32.wrap_i64');
        break;
      case 'high':
        this.wide(e.a);
        w.wide(32);
        w.op('i64.shr_s', 'i32.wrap_i64');
        break;
      case 'exceeds32':
        this.wide(e.a);
        this.wide(e.a);
        w.op('i32.wrap_i64', 'i64.extend_i32_s', 'i64.ne');
    }
  }

  wide(e: Wide): void {
    const { w } = this;
    switch (e.k) {
      case 'extend':
        this.expression(e.a);
        w.op(e.signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u');
        break;
      case 'join':
        this.expression(e.high);
        w.op('i64.extend_i32_s');
        w.wide(32);
        w.op('i64.shl');
        this.expression(e.low);
        w.op('i64.extend_i32_u', 'i64.or');
        break;
      case 'wide2':
        this.wide(e.a);
        this.wide(e.b);
        w.op(e.op);
    }
  }

  condition(code: number): void {
    const direct = this.flags.comparison ? afterComparison[code] : undefined;
    if (direct === undefined) {
      this.expression(conditionHolds(code));
      return;
    }
    this.w.get(local.flagA);
    this.w.get(local.flagB);
    this.w.op(direct);
  }

  /** Sets a cell; C and V are then known to be there. */
  assign(number: number, value: Expr): void {
    const { w } = this;
    if (isMemoryCell(number)) {
      w.const(0);
      this.expression(value);
      w.memory('i32.store', number * 4);
      return;
    }
    this.expression(value);
    w.set(localOfCell(number));
    if (number === cell.carry) {
      w.const(flagKind.cell);
      w.set(local.carryKind);
      this.flags.carry = flagKind.cell;
    } else if (number === cell.overflow) {
      w.const(flagKind.cell);
      w.set(local.overflowKind);
      this.flags.overflow = flagKind.cell;
    }
    // N and Z follow C and V of the same comparison; then `carryOverflow` sets this again.
    const isFlag = number >= cell.negative && number <= cell.overflow;
    if (isFlag && !(this.inComparison && number <= cell.zero)) this.flags.comparison = false;
    if (number === cell.zero) this.inComparison = false;
  }

  /** Remembers the operands in temporaries 0 and 1: C and V follow from them where they are needed. */
  carryOverflow(subtraction: boolean): void {
    const { w } = this;
    const kind = subtraction ? flagKind.subtract : flagKind.add;
    for (const [from, to] of [
      [cell.temporary, local.flagA],
      [cell.temporary + 1, local.flagB],
    ] as const) {
      w.get(localOfCell(from));
      w.set(to);
    }
    w.const(kind);
    w.tee(local.carryKind);
    w.set(local.overflowKind);
    this.flags = { carry: kind, overflow: kind, comparison: subtraction };
    this.inComparison = subtraction;
  }

  /** After code that may not have run. */
  forgetChangedFlags(before: { carry: unknown; overflow: unknown; comparison: boolean }): void {
    const { flags } = this;
    if (flags.carry !== before.carry) flags.carry = null;
    if (flags.overflow !== before.overflow) flags.overflow = null;
    flags.comparison = false;
  }

  private readCell(number: number): void {
    const { w } = this;
    if (number === cell.carry) this.carry(this.flags.carry);
    else if (number === cell.overflow) this.overflow(this.flags.overflow);
    else if (isMemoryCell(number)) {
      w.const(0);
      w.memory('i32.load', number * 4);
    } else w.get(localOfCell(number));
  }

  /** C by its kind; with null, by the kind found at run time. */
  carry(kind: FlagKind | null): void {
    const { w } = this;
    switch (kind) {
      case flagKind.cell:
        w.get(localOfCell(cell.carry));
        break;
      case flagKind.subtract:
        w.get(local.flagA);
        w.get(local.flagB);
        w.op('i32.ge_u');
        break;
      case flagKind.add:
        w.get(local.flagA);
        w.get(local.flagB);
        w.op('i32.add');
        w.get(local.flagA);
        w.op('i32.lt_u');
        break;
      case null:
        this.byKind(local.carryKind, (known) => {
          this.carry(known);
        });
    }
  }

  /** V in bit 31. */
  overflow(kind: FlagKind | null): void {
    const { w } = this;
    const xorWithResult = (operand: number, operation: 'i32.add' | 'i32.sub'): void => {
      w.get(operand);
      w.get(local.flagA);
      w.get(local.flagB);
      w.op(operation, 'i32.xor');
    };
    switch (kind) {
      case flagKind.cell:
        w.get(localOfCell(cell.overflow));
        break;
      case flagKind.subtract:
        w.get(local.flagA);
        w.get(local.flagB);
        w.op('i32.xor');
        xorWithResult(local.flagA, 'i32.sub');
        w.op('i32.and');
        break;
      case flagKind.add:
        xorWithResult(local.flagA, 'i32.add');
        xorWithResult(local.flagB, 'i32.add');
        w.op('i32.and');
        break;
      case null:
        this.byKind(local.overflowKind, (known) => {
          this.overflow(known);
        });
    }
  }

  private byKind(kindLocal: number, emit: (kind: FlagKind) => void): void {
    const { w } = this;
    w.get(kindLocal);
    w.open('if', I32);
    w.get(kindLocal);
    w.const(flagKind.subtract);
    w.op('i32.eq');
    w.open('if', I32);
    emit(flagKind.subtract);
    w.else();
    emit(flagKind.add);
    w.end();
    w.else();
    emit(flagKind.cell);
    w.end();
  }

  private binary(op: Op2, a: Expr, b: Expr): void {
    const { w } = this;
    if (op === 'divide_s' || op === 'divide_u') {
      this.divide(op, a, b);
      return;
    }
    this.expression(a);
    this.expression(b);
    w.op(op);
  }

  /** WebAssembly traps where the core gives 0 (divisor 0) or wraps (-2^31 / -1). */
  private divide(op: 'divide_s' | 'divide_u', a: Expr, b: Expr): void {
    const { w } = this;
    this.expression(b);
    w.open('if', I32);
    if (op === 'divide_u') {
      this.expression(a);
      this.expression(b);
      w.op('i32.div_u');
    } else {
      this.expression(b);
      w.const(-1);
      w.op('i32.eq');
      w.open('if', I32);
      w.const(0);
      this.expression(a);
      w.op('i32.sub');
      w.else();
      this.expression(a);
      this.expression(b);
      w.op('i32.div_s');
      w.end();
    }
    w.else();
    w.const(0);
    w.end();
  }
}
