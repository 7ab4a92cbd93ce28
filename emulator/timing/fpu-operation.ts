/**
 * FPU data processing by name: FPv4-SP, FPv5 single and double precision (DDI 0403E A6.4, A7.7; DDI 0553B C2.4.8). Which encodings exist is
 * decided here, for timing and semantics alike.
 */
import type { Fpu } from '../cores/core-facts.ts';

export type FpuName =
  | 'VMLA'
  | 'VMLS'
  | 'VNMLA'
  | 'VNMLS'
  | 'VMUL'
  | 'VNMUL'
  | 'VADD'
  | 'VSUB'
  | 'VDIV'
  | 'VFMA'
  | 'VFMS'
  | 'VFNMA'
  | 'VFNMS'
  | 'VMOV immediate'
  | 'VMOV'
  | 'VABS'
  | 'VNEG'
  | 'VSQRT'
  | 'VCVT from half'
  | 'VCVT to half'
  | 'VCMP'
  | 'VCMP zero'
  | 'VRINTR'
  | 'VRINTZ'
  | 'VRINTX'
  | 'VCVT precision'
  | 'VCVT from integer'
  | 'VCVT to integer'
  | 'VCVT from fixed'
  | 'VCVT to fixed'
  | 'VSEL'
  | 'VMAXNM'
  | 'VMINNM'
  | 'VRINT directed'
  | 'VCVT directed';

/** Registers as the first single of each operand: a double Dn is the pair S2n, S2n+1. -1: no operand. */
export interface FpuOperation {
  readonly name: FpuName;
  /** The encoding's sz bit: the operation, or its operand that is neither integer nor half, is double precision. */
  readonly double: boolean;
  readonly d: number;
  readonly n: number;
  readonly m: number;
  /** Singles that each operand takes: 1 or 2. */
  readonly dWords: number;
  readonly mWords: number;
}

/** Widths of destination and operand m: of the encoding's precision, single, or the other precision. */
type Width = 'own' | 'single' | 'other';
interface Shape {
  readonly name: FpuName;
  readonly d: Width;
  readonly m: Width | null;
  readonly hasN: boolean;
}

const ternary = (name: FpuName): Shape => ({ name, d: 'own', m: 'own', hasN: true });
const unary = (name: FpuName): Shape => ({ name, d: 'own', m: 'own', hasN: false });
const toSingle = (name: FpuName): Shape => ({ name, d: 'single', m: 'own', hasN: false });
const fromSingle = (name: FpuName): Shape => ({ name, d: 'own', m: 'single', hasN: false });
const alone = (name: FpuName): Shape => ({ name, d: 'own', m: null, hasN: false });

/** By bits 23, 21 and 20 of the encoding, then bit 6. */
const arithmetic: readonly (readonly [Shape, Shape | null])[] = [
  [ternary('VMLA'), ternary('VMLS')],
  [ternary('VNMLS'), ternary('VNMLA')],
  [ternary('VMUL'), ternary('VNMUL')],
  [ternary('VADD'), ternary('VSUB')],
  [ternary('VDIV'), null],
  [ternary('VFNMS'), ternary('VFNMA')],
  [ternary('VFMA'), ternary('VFMS')],
];

/** By bits 19:16, then bit 7. */
const extension: readonly (readonly [Shape | null, Shape | null])[] = [
  [unary('VMOV'), unary('VABS')],
  [unary('VNEG'), unary('VSQRT')],
  [fromSingle('VCVT from half'), fromSingle('VCVT from half')],
  [toSingle('VCVT to half'), toSingle('VCVT to half')],
  [unary('VCMP'), unary('VCMP')],
  [alone('VCMP zero'), alone('VCMP zero')],
  [unary('VRINTR'), unary('VRINTZ')],
  [unary('VRINTX'), { name: 'VCVT precision', d: 'other', m: 'own', hasN: false }],
  [fromSingle('VCVT from integer'), fromSingle('VCVT from integer')],
  [null, null],
  [alone('VCVT from fixed'), alone('VCVT from fixed')],
  [alone('VCVT from fixed'), alone('VCVT from fixed')],
  [toSingle('VCVT to integer'), toSingle('VCVT to integer')],
  [toSingle('VCVT to integer'), toSingle('VCVT to integer')],
  [alone('VCVT to fixed'), alone('VCVT to fixed')],
  [alone('VCVT to fixed'), alone('VCVT to fixed')],
];

/** What came with FPv5; the unconditional encodings did too. */
const fpv5Names: ReadonlySet<FpuName> = new Set<FpuName>(['VRINTR', 'VRINTZ', 'VRINTX']);

function conditionalShape(hw1: number, hw2: number): Shape | null {
  const opcode = ((hw1 >> 5) & 4) | ((hw1 >> 4) & 3);
  const bit6 = (hw2 >> 6) & 1;
  if (opcode < 7) return arithmetic[opcode]![bit6]!;
  return bit6 === 0 ? alone('VMOV immediate') : extension[hw1 & 0xf]![(hw2 >> 7) & 1]!;
}

function unconditionalShape(hw1: number, hw2: number): Shape | null {
  const bit6 = (hw2 & 0x40) !== 0;
  if ((hw1 & 0x80) === 0) return bit6 ? null : ternary('VSEL');
  if ((hw1 & 0x30) === 0) return ternary(bit6 ? 'VMINNM' : 'VMAXNM');
  if ((hw1 & 0x38) !== 0x38 || !bit6) return null;
  if ((hw1 & 4) !== 0) return toSingle('VCVT directed');
  return (hw2 & 0x80) === 0 ? unary('VRINT directed') : null;
}

/** The operation, or null where this unit has none. Encodings of coprocessors 10 and 11 with bits 27:24 = 0b1110 and bit 4 clear. */
export function fpuOperation(hw1: number, hw2: number, fpu: Fpu): FpuOperation | null {
  const double = (hw2 & 0x0100) !== 0;
  const unconditional = (hw1 & 0x1000) !== 0;
  const shape = unconditional ? unconditionalShape(hw1, hw2) : conditionalShape(hw1, hw2);
  if (shape === null || (double && fpu !== 'fpv5-dp')) return null;
  if (fpu === 'fpv4-sp' && (unconditional || fpv5Names.has(shape.name))) return null;
  // Between the precisions: there must be two.
  if (shape.d === 'other' && fpu !== 'fpv5-dp') return null;
  const isWide = (width: Width): boolean => (width === 'other' ? !double : width === 'own' && double);
  const dWide = isWide(shape.d);
  const mWide = shape.m !== null && isWide(shape.m);
  const d = registerOf(hw2 >> 12, (hw1 >> 6) & 1, dWide);
  const n = shape.hasN ? registerOf(hw1 & 0xf, (hw2 >> 7) & 1, double) : -1;
  const m = shape.m === null ? -1 : registerOf(hw2 & 0xf, (hw2 >> 5) & 1, mWide);
  if (d === null || n === null || m === null) return null;
  if (shape.name.endsWith('fixed') && fractionBits(hw2) < 0) return null;
  return { name: shape.name, double, d, n, m, dWords: dWide ? 2 : 1, mWords: mWide ? 2 : 1 };
}

/** VCVT with fixed point, of 32 bits or, without bit 7, 16. More than there are bits is UNPREDICTABLE. */
export function fractionBits(hw2: number): number {
  return ((hw2 & 0x80) !== 0 ? 32 : 16) - (((hw2 & 0xf) << 1) | ((hw2 >> 5) & 1));
}

/** Four bits and an extension bit: below them for singles, above them for doubles, of which there are 16 only. */
export function registerOf(field: number, bit: number, isDouble: boolean): number | null {
  if (!isDouble) return (field << 1) | bit;
  return bit === 1 ? null : field * 2;
}
