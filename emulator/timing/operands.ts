/**
 * Registers that tie an instruction to its neighbours on cores whose results take several cycles: which it reads, computes and loads. They
 * follow from what the instruction does (isa/lift.ts), so that there is no second opinion about any encoding.
 */
import { cell, type Expr, type Stmt, type Wide } from '../isa/ir.ts';
import { lift, type LiftedCore } from '../isa/lift.ts';
import type { Instruction } from './instruction.ts';

export interface Operands {
  /** Core registers read, as a bit mask, addresses included. */
  readonly reads: number;
  /** Core registers computed, without those loaded. */
  readonly computes: number;
  /** Core registers loaded, in the order of the accesses. */
  readonly loads: readonly number[];
  /** Single-precision registers read, and written by arithmetic, moves or loads. */
  readonly fpReads: number;
  readonly fpWrites: number;
  readonly setsFlags: boolean;
}

const FIRST_SINGLE: number = cell.s0;
const LAST_SINGLE = FIRST_SINGLE + 31;
const FLAGS: ReadonlySet<number> = new Set([cell.negative, cell.zero, cell.carry, cell.overflow]);

class Collector {
  reads = 0;
  computes = 0;
  fpReads = 0;
  fpWrites = 0;
  setsFlags = false;
  readonly loads: number[] = [];
  /** A base register that is also loaded gets its value by way of a temporary. */
  private readonly loadedTemporaries = new Set<number>();

  statements(list: readonly Stmt[]): void {
    for (const statement of list) this.statement(statement);
  }

  private statement(statement: Stmt): void {
    switch (statement.k) {
      case 'set':
        this.read(statement.value);
        if (statement.value.k === 'cell' && this.loadedTemporaries.has(statement.value.cell))
          this.loads.push(statement.cell);
        else this.write(statement.cell);
        break;
      case 'load':
        this.read(statement.address);
        if (statement.cell <= cell.lr) this.loads.push(statement.cell);
        else if (statement.cell >= cell.temporary) this.loadedTemporaries.add(statement.cell);
        else this.write(statement.cell);
        break;
      case 'store':
        this.read(statement.address);
        this.read(statement.value);
        break;
      case 'carryOverflow':
        this.setsFlags = true;
        break;
      case 'when':
        this.read(statement.condition);
        this.statements(statement.then);
        break;
      case 'branch':
      case 'interwork':
        this.read(statement.target);
        break;
      case 'fp':
      case 'system':
        for (const argument of statement.args) this.read(argument);
        this.write(statement.cell);
        break;
      default:
        for (const argument of statement.args) this.readWide(argument);
        this.write(statement.cell);
        this.write(statement.cell + 1);
    }
  }

  private write(number: number): void {
    if (number <= cell.lr) this.computes |= 1 << number;
    else if (number >= FIRST_SINGLE && number <= LAST_SINGLE) this.fpWrites |= 1 << (number - FIRST_SINGLE);
    else if (FLAGS.has(number)) this.setsFlags = true;
  }

  private read(expression: Expr): void {
    switch (expression.k) {
      case 'cell':
        this.readCell(expression.cell);
        break;
      case 'op1':
        this.read(expression.a);
        break;
      case 'select':
        this.read(expression.condition);
        this.read(expression.a);
        this.read(expression.b);
        break;
      case 'op2':
        this.read(expression.a);
        this.read(expression.b);
        break;
      case 'low':
      case 'high':
      case 'exceeds32':
        this.readWide(expression.a);
        break;
      default:
    }
  }

  private readWide(wide: Wide): void {
    if (wide.k === 'extend') this.read(wide.a);
    else if (wide.k === 'join') {
      this.read(wide.high);
      this.read(wide.low);
    } else {
      this.readWide(wide.a);
      this.readWide(wide.b);
    }
  }

  private readCell(number: number): void {
    if (number <= cell.lr && (this.computes & (1 << number)) === 0) this.reads |= 1 << number;
    else if (number >= FIRST_SINGLE && number <= LAST_SINGLE) this.fpReads |= 1 << (number - FIRST_SINGLE);
  }
}

/** Of an instruction; one that does nothing, or stops the engine, has none. */
export function operandsOf(instruction: Instruction, core: LiftedCore): Operands {
  const collector = new Collector();
  collector.statements(lift(instruction, core) ?? []);
  return collector;
}

export const maskOf = (registers: readonly number[]): number =>
  registers.reduce((mask, number) => mask | (1 << number), 0);
