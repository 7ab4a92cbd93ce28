/**
 * What an instruction does, as a short list of statements over the core's state: the one semantics table of this engine. The
 * interpreter and the WebAssembly translator both consume it, so there is no second opinion about any instruction. Expressions have
 * no effects; loads, stores and floating-point operations are statements, in the order the core performs them.
 */

/** State cells, 32 bits each. r13 is the stack pointer in use; NEGATIVE and OVERFLOW hold their flag in bit 31, ZERO is 0 when Z is set. */
export const cell = {
  sp: 13,
  lr: 14,
  /** Where a taken branch goes, bit 0 still as given. */
  target: 15,
  negative: 16,
  zero: 17,
  carry: 18,
  overflow: 19,
  saturated: 20,
  /** GE[3:0]. */
  greaterEqual: 21,
  fpscr: 22,
  exclusiveOpen: 23,
  exclusiveAddress: 24,
  primask: 25,
  faultmask: 26,
  basepri: 27,
  control: 28,
  /** The stack pointer that is not in use. */
  otherSp: 29,
  /** Number of the exception being handled, 0 in Thread mode. */
  ipsr: 30,
  s0: 32,
  temporary: 64,
} as const;

/** Cells 0..63 live on between instructions; 64..79 are temporaries of one instruction. */
export const CELLS = 80;
export const TEMPORARIES_END = 80;

export type Op1 =
  | 'i32.eqz'
  | 'i32.clz'
  | 'i32.extend8_s'
  | 'i32.extend16_s'
  /** Bytes 0 and 2, each as a signed halfword. */
  | 'extendBytes';
export type Op2 =
  | 'i32.add'
  | 'i32.sub'
  | 'i32.mul'
  | 'i32.and'
  | 'i32.or'
  | 'i32.xor'
  | 'i32.shl'
  | 'i32.shr_s'
  | 'i32.shr_u'
  | 'i32.rotr'
  | 'i32.eq'
  | 'i32.ne'
  | 'i32.lt_s'
  | 'i32.lt_u'
  | 'i32.gt_s'
  | 'i32.gt_u'
  | 'i32.le_u'
  | 'i32.ge_u'
  | 'i32.ge_s'
  /** As the core divides: 0 for a divisor of 0, INT_MIN / -1 wraps. */
  | 'divide_s'
  | 'divide_u'
  /** Sum of the products of signed halfwords, modulo 2^32: -2^31 stands for 2^31, which is the only sum that does not fit. */
  | 'dotHalves';
export type WideOp = 'i64.add' | 'i64.sub' | 'i64.mul' | 'i64.shr_s';

export type Expr =
  | { readonly k: 'const'; readonly value: number }
  | { readonly k: 'cell'; readonly cell: number }
  | { readonly k: 'op1'; readonly op: Op1; readonly a: Expr }
  | { readonly k: 'op2'; readonly op: Op2; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'select'; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  /** Whether a condition 0..13 of the flags holds, as 0 or 1. */
  | { readonly k: 'condition'; readonly code: number }
  /** Halves of a 64-bit value. */
  | { readonly k: 'low' | 'high'; readonly a: Wide }
  /** 1 if the 64-bit value is not a signed 32-bit one. */
  | { readonly k: 'exceeds32'; readonly a: Wide };

export type Wide =
  | { readonly k: 'extend'; readonly signed: boolean; readonly a: Expr }
  | { readonly k: 'join'; readonly high: Expr; readonly low: Expr }
  | { readonly k: 'wide2'; readonly op: WideOp; readonly a: Wide; readonly b: Wide };

/** Operations of the FPU whose result depends on FPSCR or that set its flags; operands and results are bit patterns. */
export type FpFunction =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'squareRoot'
  /** fused: d = fma(a, b, c) */
  | 'fusedMultiplyAdd'
  | 'fromSigned'
  | 'fromUnsigned'
  | 'toSigned'
  | 'toUnsigned'
  | 'toSignedTruncating'
  | 'toUnsignedTruncating'
  /** FPMaxNum, FPMinNum */
  | 'maximum'
  | 'minimum'
  /** second operand: see BY_FPSCR in soft-float.ts */
  | 'roundToIntegral'
  | 'toIntegerBy'
  /** second operand: fraction bits | bytes << 8 | unsigned << 16 */
  | 'toFixed'
  | 'fromFixed'
  | 'toHalf'
  | 'fromHalf'
  /** between double and single */
  | 'toSingle'
  | 'fromSingle'
  /** third operand 1 if a quiet NaN is invalid; the result is FPSCR's NZCV nibble in bits 31:28 */
  | 'compare';

/** Functions whose result is no double even when their operands are. */
export const narrowResults: ReadonlySet<FpFunction> = new Set<FpFunction>([
  'toSigned',
  'toUnsigned',
  'toSignedTruncating',
  'toUnsignedTruncating',
  'toIntegerBy',
  'toHalf',
  'toSingle',
  'compare',
]);

/** Access to state that the machine or the engine decides about. */
export type SystemFunction =
  'readSpecial' | 'writeSpecial' | 'changeState' | 'testTarget' | 'checkStack' | 'checkDivisor';

export type Stmt =
  | { readonly k: 'set'; readonly cell: number; readonly value: Expr }
  | {
      readonly k: 'load';
      readonly cell: number;
      readonly bytes: 1 | 2 | 4;
      readonly signed: boolean;
      readonly address: Expr;
      /** The core refuses an address that is no multiple of the size. */
      readonly aligned: boolean;
      /** LDRT and the like: as unprivileged code. */
      readonly asUser?: boolean;
    }
  | {
      readonly k: 'store';
      readonly bytes: 1 | 2 | 4;
      readonly address: Expr;
      readonly value: Expr;
      readonly aligned: boolean;
      readonly asUser?: boolean;
    }
  /** C and V of temporary 0 + or - temporary 1, whose result is temporary 2. */
  | { readonly k: 'carryOverflow'; readonly subtraction: boolean }
  | { readonly k: 'when'; readonly condition: Expr; readonly then: readonly Stmt[] }
  /** Control goes to `target`, bit 0 ignored. */
  | { readonly k: 'branch'; readonly target: Expr }
  /** As branch, but bit 0 clear asks for Arm state, which does not exist. */
  | { readonly k: 'interwork'; readonly target: Expr }
  | { readonly k: 'fp'; readonly cell: number; readonly fn: FpFunction; readonly args: readonly Expr[] }
  /** The same with doubles, each in two cells, the low word first; the result is one unless the function is in narrowResults. */
  | { readonly k: 'fpDouble'; readonly cell: number; readonly fn: FpFunction; readonly args: readonly Wide[] }
  | { readonly k: 'system'; readonly cell: number; readonly fn: SystemFunction; readonly args: readonly Expr[] };

export const constant = (value: number): Expr => ({ k: 'const', value: value | 0 });
export const get = (number: number): Expr => ({ k: 'cell', cell: number });
export const temporary = (number: number): number => cell.temporary + number;
export const t = (number: number): Expr => get(cell.temporary + number);

const op1 =
  (op: Op1) =>
  (a: Expr): Expr => ({ k: 'op1', op, a });
const op2 =
  (op: Op2) =>
  (a: Expr, b: Expr): Expr => ({ k: 'op2', op, a, b });

export const not = op1('i32.eqz');
export const countLeadingZeros = op1('i32.clz');
export const signExtend8 = op1('i32.extend8_s');
export const signExtend16 = op1('i32.extend16_s');
export const extendBytes = op1('extendBytes');
export const subtract = op2('i32.sub');
export const multiply = op2('i32.mul');
export const or = op2('i32.or');
export const xor = op2('i32.xor');
export const rotateRight = op2('i32.rotr');
export const equal = op2('i32.eq');
export const notEqual = op2('i32.ne');
export const below = op2('i32.lt_u');
export const above = op2('i32.gt_u');
export const belowOrSame = op2('i32.le_u');
export const aboveOrSame = op2('i32.ge_u');
export const less = op2('i32.lt_s');
export const greater = op2('i32.gt_s');
export const greaterOrEqual = op2('i32.ge_s');
export const divideSigned = op2('divide_s');
export const divideUnsigned = op2('divide_u');
export const dotHalves = op2('dotHalves');

const isConstant = (e: Expr, value: number): boolean => e.k === 'const' && e.value === value;

export function add(a: Expr, b: Expr): Expr {
  if (a.k === 'const' && b.k === 'const') return constant(a.value + b.value);
  return isConstant(b, 0) ? a : { k: 'op2', op: 'i32.add', a, b };
}

export function and(a: Expr, b: Expr): Expr {
  if (a.k === 'const' && b.k === 'const') return constant(a.value & b.value);
  return isConstant(b, -1) ? a : { k: 'op2', op: 'i32.and', a, b };
}

/** Shifts by a constant 0..31 or an expression taken modulo 32, as WebAssembly has them. */
const shift =
  (op: 'i32.shl' | 'i32.shr_s' | 'i32.shr_u') =>
  (a: Expr, amount: Expr | number): Expr => {
    const b = typeof amount === 'number' ? constant(amount) : amount;
    return isConstant(b, 0) ? a : { k: 'op2', op, a, b };
  };
export const shiftLeft = shift('i32.shl');
export const shiftRight = shift('i32.shr_u');
export const shiftRightSigned = shift('i32.shr_s');
export const invert = (a: Expr): Expr => (a.k === 'const' ? constant(~a.value) : xor(a, constant(-1)));
export const select = (condition: Expr, a: Expr, b: Expr): Expr => ({ k: 'select', condition, a, b });
export const bitOf = (a: Expr, bit: number): Expr => and(shiftRight(a, bit), constant(1));

export const condition = (code: number): Expr => ({ k: 'condition', code });
export const low = (a: Wide): Expr => ({ k: 'low', a });
export const high = (a: Wide): Expr => ({ k: 'high', a });
export const exceeds32 = (a: Wide): Expr => ({ k: 'exceeds32', a });
export const signedWide = (a: Expr): Wide => ({ k: 'extend', signed: true, a });
export const unsignedWide = (a: Expr): Wide => ({ k: 'extend', signed: false, a });
export const join = (highHalf: Expr, lowHalf: Expr): Wide => ({ k: 'join', high: highHalf, low: lowHalf });
const wide2 =
  (op: WideOp) =>
  (a: Wide, b: Wide): Wide => ({ k: 'wide2', op, a, b });
export const wideAdd = wide2('i64.add');
export const wideSubtract = wide2('i64.sub');
export const wideMultiply = wide2('i64.mul');
export const wideShiftRight = (a: Wide, amount: number): Wide => wide2('i64.shr_s')(a, unsignedWide(constant(amount)));

export const set = (number: number, value: Expr): Stmt => ({ k: 'set', cell: number, value });
export const when = (condition: Expr, then: readonly Stmt[]): Stmt => ({ k: 'when', condition, then });
