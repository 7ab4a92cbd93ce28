/**
 * Accesses of a block that lie at known distances from each other share one check of their range, made at the first of them. Found by
 * following which registers differ only by constants: base registers of several accesses, post-increments, multiple transfers.
 */
import { cell, type Expr, type Stmt } from '../../../isa/ir.ts';
import type { Block, Step } from '../block.ts';
import { isConditional } from './flag-state.ts';

export type Access = Extract<Stmt, { k: 'load' | 'store' }>;

/** Accesses farther apart get checks of their own. */
const SPAN_MAX = 4096;

export interface Group {
  /** First and last byte, as distances from the origin. */
  low: number;
  high: number;
  stores: boolean;
  readonly steps: Set<Step>;
  /** The address that stands for all is that of the first access. */
  readonly first: Access;
  readonly firstDelta: number;
  /** Number among the groups of the block. */
  readonly index: number;
}

export interface Place {
  readonly group: Group;
  /** Distance from the origin. */
  readonly delta: number;
  /** Known to be a multiple of 4 away from an aligned origin. */
  readonly isAligned: boolean;
}

/** A value as an unknown number plus a constant. */
interface Symbolic {
  readonly origin: number;
  readonly delta: number;
}

export interface AccessPlan {
  readonly places: ReadonlyMap<Access, Place>;
  /** Assignments to the stack pointer whose value is aligned without masking. */
  readonly alignedStack: ReadonlySet<Stmt>;
  readonly groups: number;
}

class Finder {
  readonly places = new Map<Access, Place>();
  readonly alignedStack = new Set<Stmt>();
  groups = 0;
  private readonly values = new Map<number, Symbolic>();
  private readonly open = new Map<number, Group>();
  private origins = 0;
  /** Origins that are multiples of 4. */
  private readonly aligned = new Set<number>();

  constructor() {
    this.aligned.add(this.valueOf(cell.sp).origin);
  }

  step(step: Step): void {
    for (const statement of step.body ?? []) this.statement(statement, step, isConditional(step));
  }

  private statement(statement: Stmt, step: Step, mayNotRun: boolean): void {
    switch (statement.k) {
      case 'set': {
        const value = mayNotRun ? null : this.symbolic(statement.value, statement);
        this.values.set(statement.cell, value ?? this.unknown());
        break;
      }
      case 'load':
        this.access(statement, step, mayNotRun);
        this.values.set(statement.cell, this.unknown());
        break;
      case 'store':
        this.access(statement, step, mayNotRun);
        break;
      case 'when':
        for (const inner of statement.then) this.statement(inner, step, true);
        break;
      case 'fp':
      case 'system':
        this.values.set(statement.cell, this.unknown());
        break;
      case 'fpDouble':
        for (const half of [0, 1]) this.values.set(statement.cell + half, this.unknown());
        break;
      default:
    }
  }

  private unknown(): Symbolic {
    return { origin: this.origins++, delta: 0 };
  }

  private valueOf(number: number): Symbolic {
    let value = this.values.get(number);
    if (value === undefined) this.values.set(number, (value = this.unknown()));
    return value;
  }

  private symbolic(e: Expr, statement: Stmt | null): Symbolic | null {
    if (e.k === 'cell') return this.valueOf(e.cell);
    if (e.k !== 'op2' || e.b.k !== 'const') return null;
    const { value } = e.b;
    const base = this.symbolic(e.a, null);
    if (base === null) return null;
    const { origin, delta } = base;
    if (e.op === 'i32.add') return { origin, delta: delta + value };
    if (e.op === 'i32.sub') return { origin, delta: delta - value };
    // The low bits of the stack pointer do not exist; here they are 0 anyway.
    if (e.op !== 'i32.and' || value !== -4 || !this.aligned.has(origin) || (delta & 3) !== 0) return null;
    if (statement !== null) this.alignedStack.add(statement);
    return base;
  }

  private access(access: Access, step: Step, mayNotRun: boolean): void {
    if (access.address.k === 'const') return;
    const { origin, delta } = (mayNotRun ? null : this.symbolic(access.address, null)) ?? this.unknown();
    const end = delta + access.bytes - 1;
    const stores = access.k === 'store';
    let group = this.open.get(origin);
    if (group === undefined || Math.max(group.high, end) - Math.min(group.low, delta) >= SPAN_MAX) {
      const index = this.groups++;
      group = { low: delta, high: end, stores, steps: new Set(), first: access, firstDelta: delta, index };
      this.open.set(origin, group);
    }
    group.low = Math.min(group.low, delta);
    group.high = Math.max(group.high, end);
    group.stores ||= stores;
    group.steps.add(step);
    this.places.set(access, { group, delta, isAligned: this.aligned.has(origin) && (delta & 3) === 0 });
  }
}

export function groupAccesses(block: Block): AccessPlan {
  const finder = new Finder();
  for (const step of block.steps) finder.step(step);
  return finder;
}
