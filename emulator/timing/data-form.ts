/**
 * What kind of data processing an instruction is, where cores differ in which unit does it and when: Cortex-M33 takes two cycles for a shifted operand, Cortex-M7
 * needs it a cycle earlier and has one shifter for two instructions. Encodings: DDI 0403E A5.2, A5.3.
 */
import type { Instruction } from './instruction.ts';

export type FormKind =
  /** A register or a constant of eight or twelve bits, or a pattern of eight bits; moves; everything else. */
  | 'simple'
  /** A shift or rotation that is all the instruction does. */
  | 'shift'
  | 'shiftedRegister'
  /** A constant of eight bits shifted into place, but for moves. */
  | 'shiftedConstant'
  /** UBFX, SBFX */
  | 'extract'
  /** BFI, BFC */
  | 'insert'
  /** SXTB, ... */
  | 'extend'
  /** SXTAB, ... */
  | 'extendAdd'
  /** REV, REV16, REVSH, RBIT */
  | 'reverse'
  | 'countZeros'
  /** PKHBT, PKHTB */
  | 'pack'
  /** SSAT, USAT */
  | 'saturate'
  /** UADD8, QADD, SEL, ... */
  | 'parallel'
  | 'multiply';

export interface Form {
  readonly kind: FormKind;
  /** Core registers that only the last step, an addition, needs, as a bit mask. */
  readonly addend: number;
  /** Core registers that a shifter in front of the arithmetic needs. */
  readonly shifted: number;
}

const form = (kind: FormKind, shifted = 0, addend = 0): Form => ({ kind, shifted, addend });
const bit = (register: number): number => 1 << register;
const ORR = 2;
const PKH = 6;
/** LSL, LSR, ASR, ROR of the 16-bit data-processing group. */
const SHIFTS_16 = [2, 3, 4, 7];
const plainImmediateKinds: Readonly<Record<number, FormKind>> = {
  16: 'saturate',
  18: 'saturate',
  20: 'extract',
  22: 'insert',
  24: 'saturate',
  26: 'saturate',
  28: 'extract',
};

function narrow(hw: number): Form {
  const low = bit((hw >> 3) & 7);
  if (hw < 0x1800) return form(hw >> 6 === 0 ? 'simple' : 'shift', low);
  if ((hw & 0xfc00) === 0x4000) {
    const operation = (hw >> 6) & 0xf;
    if (operation === 13) return form('multiply');
    return SHIFTS_16.includes(operation) ? form('shift', bit(hw & 7)) : form('simple');
  }
  if ((hw & 0xff00) === 0xb200) return form('extend', low);
  return (hw & 0xff00) === 0xba00 ? form('reverse', low) : form('simple');
}

function shiftedRegister(hw1: number, hw2: number): Form {
  const operation = (hw1 >> 5) & 0xf;
  const rn = hw1 & 0xf;
  const rm = bit(hw2 & 0xf);
  if (operation === PKH) return form('pack', rm);
  if ((hw2 & 0x70f0) === 0) return form('simple');
  return form(operation === ORR && rn === 15 ? 'shift' : 'shiftedRegister', rm);
}

function immediate(hw1: number, hw2: number): Form {
  const isMove = ((hw1 >> 5) & 0xf) === ORR && (hw1 & 0xf) === 15;
  if ((hw1 & 0x0200) !== 0) return form(plainImmediateKinds[(hw1 >> 4) & 0x1f] ?? 'simple', bit(hw1 & 0xf));
  // Rotations from 8 on; below, the top bits choose a pattern.
  const isRotated = (hw1 & 0x0400) !== 0 || (hw2 & 0x4000) !== 0;
  return form(isRotated && !isMove ? 'shiftedConstant' : 'simple');
}

function registerOperation(hw1: number, hw2: number): Form {
  const operation = (hw1 >> 4) & 0xf;
  const rn = hw1 & 0xf;
  const rm = bit(hw2 & 0xf);
  if (operation < 8) {
    if ((hw2 & 0x80) === 0) return form('shift', bit(rn));
    return rn === 15 ? form('extend', rm) : form('extendAdd', rm, bit(rn) & ~rm);
  }
  if ((hw2 & 0x80) === 0) return form('parallel');
  if (operation === 9) return form('reverse', rm);
  return form(operation === 11 ? 'countZeros' : 'parallel');
}

function multiply(hw1: number, hw2: number): Form {
  const factors = bit(hw1 & 0xf) | bit(hw2 & 0xf);
  const high = hw2 >> 12;
  if ((hw1 & 0x80) === 0) return form('multiply', 0, high === 15 ? 0 : bit(high) & ~factors);
  const accumulates = ((hw1 >> 4) & 7) >= 4;
  return form('multiply', 0, accumulates ? (bit(high) | bit((hw2 >> 8) & 0xf)) & ~factors : 0);
}

/** Of an instruction of the integer core; whatever is no data processing is 'simple'. */
export function formOf({ encoding, size, divide }: Pick<Instruction, 'encoding' | 'size' | 'divide'>): Form {
  if (size === 2) return narrow(encoding);
  const hw1 = encoding >>> 16;
  const hw2 = encoding & 0xffff;
  if ((hw1 & 0xfe00) === 0xea00) return shiftedRegister(hw1, hw2);
  if ((hw1 & 0xf800) === 0xf000) return (hw2 & 0x8000) === 0 ? immediate(hw1, hw2) : form('simple');
  if ((hw1 & 0xff00) === 0xfa00) return registerOperation(hw1, hw2);
  return (hw1 & 0xff00) === 0xfb00 && divide === null ? multiply(hw1, hw2) : form('simple');
}

/** ADD, SUB and MOV of registers and constants that are not shifted. */
export function isAddOrMove(instruction: Pick<Instruction, 'encoding' | 'size' | 'divide' | 'timing'>): boolean {
  const { encoding, size, timing } = instruction;
  if (timing !== 'alu' || formOf(instruction).kind !== 'simple') return false;
  if (size === 2) return isNarrowAddOrMove(encoding);
  const hw1 = encoding >>> 16;
  // ADDW, MOVW, SUBW, MOVT.
  if ((hw1 & 0xfa00) === 0xf200) return true;
  const operation = (hw1 >> 5) & 0xf;
  const isCompare = (encoding & 0x0010_0f00) === 0x0010_0f00;
  if (operation === 8 || operation === 13) return !isCompare;
  return operation === ORR && (hw1 & 0xf) === 15;
}

function isNarrowAddOrMove(hw: number): boolean {
  const group = hw >> 12;
  // Moves by LSL #0, ADD, SUB; MOV but not CMP of a constant; the same with high registers; ADR, ADD and SUB of the stack pointer.
  if (group <= 1 || group === 3 || group === 10) return true;
  if (group === 2) return (hw & 0x0800) === 0;
  if (group === 4) return (hw & 0xff00) === 0x4400 || (hw & 0xff00) === 0x4600;
  return (hw & 0xff00) === 0xb000;
}

/** QADD, QSUB, QADD16, UQSUB8, USAD8 and the like. */
export function isSaturating({ encoding, size }: Pick<Instruction, 'encoding' | 'size'>): boolean {
  if (size === 2 || encoding >>> 24 !== 0xfa) return false;
  const isParallel = (encoding & 0x0080_0080) === 0x0080_0000;
  return isParallel ? ((encoding >> 4) & 3) === 1 : (encoding & 0x00f0_00c0) === 0x0080_0080;
}
