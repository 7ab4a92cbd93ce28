/**
 * What is known about the flags while code is translated. N, Z, C and V are each in their cell, or follow from the operands A and B of the
 * last addition or subtraction and are computed where they are used. A and B themselves are in locals, constants, or still in the
 * register they were read from. The same tracker runs over a block ahead of emission (to learn what holds at its end) and during it.
 */
import { cell, type Expr, type Stmt } from '../../../isa/ir.ts';
import type { Block, Step } from '../block.ts';
import { flagKind, type FlagKind } from './locals.ts';
import type { Opcode } from './wasm-writer.ts';

/** Where an operand is: in its local, a constant, or the unchanged cell it was read from. */
export type Operand = { readonly k: 'local' } | { readonly k: 'const' | 'cell'; readonly value: number };

/** Kinds: null where only a local knows at run time. */
export interface FlagState {
  readonly signZero: FlagKind | null;
  readonly carry: FlagKind | null;
  readonly overflow: FlagKind | null;
  readonly a: Operand;
  readonly b: Operand;
}

const LOCAL: Operand = { k: 'local' };

/** As cells are loaded on the way in. */
export const IN_CELLS: FlagState = {
  signZero: flagKind.cell,
  carry: flagKind.cell,
  overflow: flagKind.cell,
  a: LOCAL,
  b: LOCAL,
};

/** As the way out expects them. */
export const AT_RUN_TIME: FlagState = { signZero: null, carry: null, overflow: null, a: LOCAL, b: LOCAL };

const sameOperand = (x: Operand, y: Operand): boolean =>
  x.k === y.k && (x.k === 'local' || (y.k !== 'local' && x.value === y.value));

export function meet(x: FlagState, y: FlagState): FlagState {
  return {
    signZero: x.signZero === y.signZero ? x.signZero : null,
    carry: x.carry === y.carry ? x.carry : null,
    overflow: x.overflow === y.overflow ? x.overflow : null,
    a: sameOperand(x.a, y.a) ? x.a : LOCAL,
    b: sameOperand(x.b, y.b) ? x.b : LOCAL,
  };
}

export const sameState = (x: FlagState, y: FlagState): boolean =>
  x.signZero === y.signZero &&
  x.carry === y.carry &&
  x.overflow === y.overflow &&
  sameOperand(x.a, y.a) &&
  sameOperand(x.b, y.b);

/** All four follow from comparing A with B. */
export const isComparison = ({ signZero, carry, overflow }: FlagState): boolean =>
  signZero === flagKind.subtract && carry === flagKind.subtract && overflow === flagKind.subtract;

/** Conditions 0..3 and 8..13 after a comparison. */
export const afterComparison: Readonly<Partial<Record<number, Opcode>>> = {
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

const isRegister = (number: number): boolean => number < cell.target;

export class FlagTracker {
  state: FlagState = IN_CELLS;
  /** What temporaries 0 and 1 are copies of. */
  private readonly copies: [Operand, Operand] = [LOCAL, LOCAL];
  /** N and Z of an addition or subtraction, which follow it, add nothing. */
  private expected = 0;

  /** N and Z of an addition or subtraction need no assignment: they follow from its operands. */
  isRedundant(number: number): boolean {
    return this.expected > 0 && (number === cell.negative || number === cell.zero);
  }

  /** A cell is set. Returns the operands that must go to their locals first. */
  set(number: number, value: Expr): ('a' | 'b')[] {
    if (this.isRedundant(number)) {
      this.expected--;
      return [];
    }
    this.expected = 0;
    if (number === cell.negative || number === cell.zero) this.state = { ...this.state, signZero: flagKind.cell };
    else if (number === cell.carry) this.state = { ...this.state, carry: flagKind.cell };
    else if (number === cell.overflow) this.state = { ...this.state, overflow: flagKind.cell };
    const rescue = this.changes(number);
    const temporary = number - cell.temporary;
    if (temporary === 0 || temporary === 1) this.copies[temporary] = this.operandOf(value);
    return rescue;
  }

  /** A cell gets a value that is no expression. */
  changes(number: number): ('a' | 'b')[] {
    const temporary = number - cell.temporary;
    if (temporary === 0 || temporary === 1) this.copies[temporary] = LOCAL;
    if (!isRegister(number)) return [];
    for (const slot of [0, 1] as const) {
      const copy = this.copies[slot];
      if (copy.k === 'cell' && copy.value === number) this.copies[slot] = LOCAL;
    }
    const rescue: ('a' | 'b')[] = [];
    for (const side of ['a', 'b'] as const) {
      const operand = this.state[side];
      if (operand.k !== 'cell' || operand.value !== number) continue;
      rescue.push(side);
      this.state = { ...this.state, [side]: LOCAL };
    }
    return rescue;
  }

  carryOverflow(subtraction: boolean): void {
    const kind = subtraction ? flagKind.subtract : flagKind.add;
    const [a, b] = this.copies;
    this.state = { signZero: kind, carry: kind, overflow: kind, a, b };
    this.expected = 2;
  }

  /** Temporaries do not outlive an instruction. */
  endOfInstruction(): void {
    this.copies[0] = LOCAL;
    this.copies[1] = LOCAL;
    this.expected = 0;
  }

  private operandOf(value: Expr): Operand {
    if (value.k === 'const') return { k: 'const', value: value.value };
    return value.k === 'cell' && isRegister(value.cell) ? { k: 'cell', value: value.cell } : LOCAL;
  }
}

function track(tracker: FlagTracker, statement: Stmt): void {
  switch (statement.k) {
    case 'set':
      tracker.set(statement.cell, statement.value);
      break;
    case 'carryOverflow':
      tracker.carryOverflow(statement.subtraction);
      break;
    case 'load':
    case 'fp':
    case 'system':
      tracker.changes(statement.cell);
      break;
    case 'fpDouble':
      tracker.changes(statement.cell);
      tracker.changes(statement.cell + 1);
      break;
    default:
  }
}

/** State when an instruction has run to its end. */
export function afterStep(step: Step, before: FlagState): FlagState {
  const tracker = new FlagTracker();
  tracker.state = before;
  for (const statement of step.body ?? []) track(tracker, statement);
  return tracker.state;
}

export const isConditional = (step: Step): boolean =>
  step.instruction.condition !== null && step.instruction.condition < 14;

function leaving(block: Block, before: FlagState): readonly FlagState[] {
  let state = before;
  let inside = before;
  for (const step of block.steps) {
    inside = afterStep(step, state);
    state = isConditional(step) ? meet(state, inside) : inside;
  }
  return sameState(state, inside) ? [state] : [state, inside];
}

/** Of blocks after which nothing is left of what held before them. */
const independent = new WeakMap<Block, readonly FlagState[] | null>();

/** States with which control leaves a block: that of a conditional last instruction may differ from the one behind it. */
export function atEndOf(block: Block, before: FlagState): readonly FlagState[] {
  let always = independent.get(block);
  if (always === undefined) {
    const [one, other] = [leaving(block, IN_CELLS), leaving(block, AT_RUN_TIME)];
    const same = one.length === other.length && one.every((state, index) => sameState(state, other[index]!));
    // A state with all kinds known that comes out of both has been made in the block; operands in locals have no other origin then.
    always = same ? one : null;
    independent.set(block, always);
  }
  return always ?? leaving(block, before);
}
