/** Which two instructions a Cortex-M7 issues in one cycle, as far as units are concerned (measured: jnk0le/random 3dfc2abd, STM32H743). */
import type { TimingClass } from './cost.ts';
import type { Form, FormKind } from './data-form.ts';
import { accessRange } from './effective-address.ts';
import { countBits, type Instruction } from './instruction.ts';

type Unit =
  'alu' | 'multiply' | 'load' | 'store' | 'branch' | 'fpArithmetic' | 'fpMac' | 'fpMove' | 'fpLoad' | 'fpStore';

/** What the older one of a pair occupies. */
export interface Place {
  readonly unit: Unit;
  readonly kind: FormKind;
  /** Base register of a load with a constant offset, as a mask, and that offset; 0: the address is not known relative to another. */
  readonly base: number;
  readonly offset: number;
  /** Memory bank of a load, as the memory system numbers them; 0: it is not known. */
  readonly bank: number;
}

const units: Readonly<Partial<Record<TimingClass, Unit>>> = {
  alu: 'alu',
  hint: 'alu',
  ifThen: 'alu',
  memoryHint: 'load',
  multiply: 'multiply',
  multiplyAccumulate: 'multiply',
  multiplyLong: 'multiply',
  multiplyLongAccumulate: 'multiply',
  load: 'load',
  storeImmediate: 'store',
  storeRegister: 'store',
  branch: 'branch',
  branchConditional: 'branch',
  compareBranch: 'branch',
  branchLink: 'branch',
  branchIndirect: 'branch',
  fpArithmetic: 'fpArithmetic',
  fpMultiplyAccumulate: 'fpMac',
  fpMove: 'fpMove',
  fpLoad: 'fpLoad',
  fpStore: 'fpStore',
};

const SHIFTED: ReadonlySet<FormKind> = new Set<FormKind>(['shiftedRegister', 'shiftedConstant']);
/** They use the shifter in front of the ALU. */
const BIT_FIELDS: ReadonlySet<FormKind> = new Set<FormKind>(['extract', 'insert', 'reverse', 'extendAdd', 'pack']);
const OLDER_ONLY: ReadonlySet<FormKind> = new Set<FormKind>([
  ...BIT_FIELDS,
  'extend',
  'countZeros',
  'saturate',
  'parallel',
]);
/** Units that two instructions cannot use at once. */
const conflicts: ReadonlySet<string> = new Set(
  (
    [
      ['multiply', 'multiply'],
      ['multiply', 'store'],
      ['multiply', 'fpStore'],
      ['store', 'store'],
      ['store', 'fpStore'],
      ['fpStore', 'fpStore'],
      ['branch', 'branch'],
      ['fpArithmetic', 'fpArithmetic'],
      ['fpArithmetic', 'fpMac'],
      ['fpMac', 'fpMac'],
      ['fpMac', 'fpLoad'],
      ['fpMac', 'fpStore'],
      ['fpMac', 'fpMove'],
    ] as const satisfies readonly (readonly [Unit, Unit])[]
  ).flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]),
);

/** Null: the instruction is issued alone. @param slave bank of its access, 0 if that is not known */
export function placeOf(instruction: Instruction, { kind }: Form, slave: number): Place | null {
  const { timing, words, addressRegisters, condition } = instruction;
  const unit = units[timing];
  if (unit === undefined || words > 1) return null;
  const loads = unit === 'load' || unit === 'fpLoad';
  const isKnown = loads && countBits(addressRegisters) === 1;
  const offset = isKnown ? (accessRange(instruction, () => 0)?.start ?? 0) : 0;
  return { unit, kind, base: isKnown ? addressRegisters : 0, offset, bank: loads && condition === null ? slave : 0 };
}

export function canPair(older: Place, younger: Place): boolean {
  if (OLDER_ONLY.has(younger.kind)) return false;
  if (SHIFTED.has(younger.kind) && (SHIFTED.has(older.kind) || BIT_FIELDS.has(older.kind) || older.kind === 'shift'))
    return false;
  const isLoad = ({ unit }: Place): boolean => unit === 'load' || unit === 'fpLoad';
  if (isLoad(older) && isLoad(younger)) return provesBanks(older, younger);
  return !conflicts.has(`${older.unit} ${younger.unit}`);
}

/** Banks hold the even and the odd words. */
const provesBanks = (older: Place, younger: Place): boolean =>
  older.bank !== 0 && younger.bank !== 0
    ? older.bank !== younger.bank
    : older.base !== 0 && older.base === younger.base && ((older.offset ^ younger.offset) & 4) !== 0;
