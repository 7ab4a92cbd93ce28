/** The translator's half of the semantics table: expressions as WebAssembly over locals, with C and V computed only where they are used. */
import { cell, type Expr, type Op2, type Wide } from '../../../isa/ir.ts';
import { conditionHolds } from '../../../isa/operands.ts';
import { afterComparison, FlagTracker, isComparison, type FlagState, type Operand } from './flag-state.ts';
import { getCell, setCell } from './cell-locals.ts';
import { emitDivide } from './emit-divide.ts';
import { gatheredSign, SIGN_BIT, VectorEmitter } from './emit-vector.ts';
import { flagKind, isMemoryCell, local, localOfCell, type FlagKind } from './locals.ts';
import { I32, type WasmWriter } from './wasm-writer.ts';

export class ExpressionEmitter {
  readonly w: WasmWriter;
  readonly flags = new FlagTracker();
  readonly vectors: VectorEmitter;

  constructor(writer: WasmWriter) {
    this.w = writer;
    this.vectors = new VectorEmitter(writer, (e) => {
      this.expression(e);
    });
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
        if (e.op === 'extendBytes') {
          this.vectors.extendBytes(e.a);
          break;
        }
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
    const direct = isComparison(this.flags.state) ? afterComparison[code] : undefined;
    if (direct === undefined) {
      this.expression(conditionHolds(code));
      return;
    }
    this.operand('a');
    this.operand('b');
    this.w.op(direct);
  }

  /** Sets a cell. */
  assign(number: number, value: Expr): void {
    const { w, flags } = this;
    if (flags.isRedundant(number)) {
      flags.set(number, value);
      return;
    }
    if (isMemoryCell(number)) {
      w.const(0);
      this.expression(value);
      w.memory('i32.store', number * 4);
      flags.set(number, value);
      return;
    }
    if (number === cell.saturated && this.saturate(value)) return;
    // The value may read flags as they were.
    const isVector = value.k === 'op1' && value.op === 'extendBytes';
    if (isVector) this.vectors.extendInto(number, value.a);
    else this.expression(value);
    this.rescue(flags.set(number, value), number);
    setCell(w, number);
    if (isVector) this.vectors.keep(number);
    else this.vectors.changes(number);
  }

  /** Q | sign of a value: the signs are gathered and looked at where Q is read. */
  private saturate(value: Expr): boolean {
    const sign = gatheredSign(value);
    if (sign === null) return false;
    this.w.get(local.saturatedSign);
    this.expression(sign);
    this.w.op('i32.or');
    this.w.set(local.saturatedSign);
    return true;
  }

  /** Before a cell changes that is no value of an expression. */
  changes(number: number): void {
    this.vectors.changes(number);
    this.rescue(this.flags.changes(number), number);
  }

  /** C and V follow from temporaries 0 and 1 where they are needed; what those are copies of is not copied again. */
  carryOverflow(subtraction: boolean): void {
    this.flags.carryOverflow(subtraction);
    const { a, b } = this.flags.state;
    if (a.k === 'local') this.copy(cell.temporary, local.flagA);
    if (b.k === 'local') this.copy(cell.temporary + 1, local.flagB);
  }

  /** Makes the locals hold what a place with less knowledge expects. */
  adapt(to: FlagState): void {
    const { w } = this;
    const from = this.flags.state;
    for (const [part, kindLocal] of [
      ['signZero', local.signZeroKind],
      ['carry', local.carryKind],
      ['overflow', local.overflowKind],
    ] as const) {
      const known = from[part];
      if (to[part] !== null || known === null) continue;
      w.const(known);
      w.set(kindLocal);
    }
    for (const side of ['a', 'b'] as const) {
      if (to[side].k !== 'local' || from[side].k === 'local') continue;
      this.operand(side);
      w.set(side === 'a' ? local.flagA : local.flagB);
    }
  }

  private rescue(sides: readonly ('a' | 'b')[], from: number): void {
    for (const side of sides) this.copy(localOfCell(from), side === 'a' ? local.flagA : local.flagB, true);
  }

  private copy(from: number, to: number, isLocal = false): void {
    this.w.get(isLocal ? from : localOfCell(from));
    this.w.set(to);
  }

  private operand(side: 'a' | 'b'): void {
    const operand: Operand = this.flags.state[side];
    if (operand.k === 'const') this.w.const(operand.value);
    else if (operand.k === 'cell') this.w.get(localOfCell(operand.value));
    else this.w.get(side === 'a' ? local.flagA : local.flagB);
  }

  readCell(number: number): void {
    const { w } = this;
    if (number === cell.carry) this.carry(this.flags.state.carry);
    else if (number === cell.overflow) this.overflow(this.flags.state.overflow);
    else if (number === cell.negative || number === cell.zero) this.signOrZero(number, this.flags.state.signZero);
    else if (number === cell.saturated) {
      w.get(localOfCell(number));
      w.get(local.saturatedSign);
      w.const(SIGN_BIT);
      w.op('i32.shr_u', 'i32.or');
    } else if (isMemoryCell(number)) {
      w.const(0);
      w.memory('i32.load', number * 4);
    } else getCell(w, number);
  }

  /** The cell of N or that of Z: both are the result. With null, by the kind found at run time. */
  signOrZero(number: number, kind: FlagKind | null): void {
    switch (kind) {
      case flagKind.cell:
        this.w.get(localOfCell(number));
        break;
      case flagKind.subtract:
      case flagKind.add:
        this.result(kind);
        break;
      case null:
        this.byKind(local.signZeroKind, (known) => {
          this.signOrZero(number, known);
        });
    }
  }

  private result(kind: FlagKind): void {
    this.operand('a');
    this.operand('b');
    this.w.op(kind === flagKind.subtract ? 'i32.sub' : 'i32.add');
  }

  /** C by its kind; with null, by the kind found at run time. */
  carry(kind: FlagKind | null): void {
    const { w } = this;
    switch (kind) {
      case flagKind.cell:
        w.get(localOfCell(cell.carry));
        break;
      case flagKind.subtract:
        this.operand('a');
        this.operand('b');
        w.op('i32.ge_u');
        break;
      case flagKind.add:
        this.result(kind);
        this.operand('a');
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
    const xorWithResult = (side: 'a' | 'b', of: FlagKind): void => {
      this.operand(side);
      this.result(of);
      w.op('i32.xor');
    };
    switch (kind) {
      case flagKind.cell:
        w.get(localOfCell(cell.overflow));
        break;
      case flagKind.subtract:
        this.operand('a');
        this.operand('b');
        w.op('i32.xor');
        xorWithResult('a', kind);
        w.op('i32.and');
        break;
      case flagKind.add:
        xorWithResult('a', kind);
        xorWithResult('b', kind);
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
      emitDivide(op, a, b, this);
      return;
    }
    if (op === 'dotHalves') {
      this.vectors.dot(a, b);
      return;
    }
    this.expression(a);
    this.expression(b);
    w.op(op);
  }
}
