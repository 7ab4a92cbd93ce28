/** Which cells a region reads or writes: only those travel between memory and locals. */
import { cell, narrowResults, type Expr, type Stmt, type Wide } from '../../../isa/ir.ts';
import type { Block } from '../block.ts';
import { isMemoryCell } from './locals.ts';

export interface UsedCells {
  /** Loaded on the way in; temporaries are not among them. */
  readonly all: readonly number[];
  readonly written: readonly number[];
}

const FLAGS = [cell.negative, cell.zero, cell.carry, cell.overflow];

export function cellsOf(blocks: readonly Block[]): UsedCells {
  const read = new Set<number>();
  const written = new Set<number>();
  for (const block of blocks) {
    for (const step of block.steps) {
      if (step.instruction.condition !== null) for (const flag of FLAGS) read.add(flag);
      for (const statement of step.body ?? []) collect(statement, read, written);
    }
  }
  const travels = (number: number): boolean => number < cell.temporary && !isMemoryCell(number);
  const ascending = (numbers: Iterable<number>): number[] => [...numbers].filter(travels).sort((a, b) => a - b);
  return { all: ascending(new Set([...read, ...written])), written: ascending(written) };
}

function collect(statement: Stmt, read: Set<number>, written: Set<number>): void {
  const expression = (e: Expr | Wide): void => {
    switch (e.k) {
      case 'const':
        break;
      case 'cell':
        read.add(e.cell);
        break;
      case 'condition':
        for (const flag of FLAGS) read.add(flag);
        break;
      case 'join':
        expression(e.high);
        expression(e.low);
        break;
      case 'select':
        expression(e.condition);
        expression(e.a);
        expression(e.b);
        break;
      case 'op2':
      case 'wide2':
        expression(e.a);
        expression(e.b);
        break;
      default:
        expression(e.a);
    }
  };
  switch (statement.k) {
    case 'set':
      expression(statement.value);
      written.add(statement.cell);
      break;
    case 'load':
      expression(statement.address);
      written.add(statement.cell);
      break;
    case 'store':
      expression(statement.address);
      expression(statement.value);
      break;
    case 'carryOverflow':
      written.add(cell.carry);
      written.add(cell.overflow);
      break;
    case 'when':
      expression(statement.condition);
      for (const inner of statement.then) collect(inner, read, written);
      break;
    case 'branch':
    case 'interwork':
      expression(statement.target);
      written.add(cell.target);
      break;
    case 'fp':
    case 'fpDouble':
      statement.args.forEach(expression);
      written.add(statement.cell);
      if (statement.k === 'fpDouble' && !narrowResults.has(statement.fn)) written.add(statement.cell + 1);
      read.add(cell.fpscr);
      written.add(cell.fpscr);
      break;
    case 'system':
      statement.args.forEach(expression);
      written.add(statement.cell);
  }
}
