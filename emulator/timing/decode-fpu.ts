/** FPU encodings to timing classes (DDI 0403E A6, DDI 0553B C2.4.8). null means that this core's unit does not have them. */
import type { CoreWithFpu } from '../cores/core-facts.ts';
import type { TimingClass } from './cost.ts';
import { fpuOperation, registerOf, type FpuName, type FpuOperation } from './fpu-operation.ts';
import type { Decoded } from './instruction.ts';

/** A run of `count` single registers from `first`, as a bit mask; -1: none. */
function run(first: number, count: number): number {
  let mask = 0;
  for (let i = 0; i < count && first >= 0 && first + i < 32; i++) mask |= 1 << (first + i);
  return mask >>> 0;
}

function transfer(hw1: number, hw2: number): Decoded | null {
  const isDouble = (hw2 & 0x0100) !== 0;
  const isLoad = (hw1 & 0x10) !== 0;
  const p = (hw1 >> 8) & 1;
  const u = (hw1 >> 7) & 1;
  const w = (hw1 >> 5) & 1;
  const addressRegisters = 1 << (hw1 & 0xf);
  const first = registerOf(hw2 >> 12, (hw1 >> 6) & 1, isDouble);
  if (first === null) return null;
  if (p === 1 && w === 0) {
    const words = isDouble ? 2 : 1;
    return isLoad
      ? { timing: 'fpLoad', words, addressRegisters }
      : { timing: 'fpStore', words, addressRegisters, fpReads: run(first, words) };
  }
  if (p === u) return null; // 00 is the core-pair move, 11 undefined
  const words = hw2 & 0xff;
  return isLoad
    ? { timing: 'fpLoadMultiple', words, addressRegisters }
    : { timing: 'fpStoreMultiple', words, addressRegisters, fpReads: run(first, words) };
}

function corePair(hw1: number, hw2: number): Decoded | null {
  if ((hw2 & 0x00d0) !== 0x0010) return null;
  const first = registerOf(hw2 & 0xf, (hw2 >> 5) & 1, (hw2 & 0x0100) !== 0);
  if (first === null || first === 31) return null;
  return { timing: 'fpMovePair', fpReads: (hw1 & 0x10) !== 0 ? run(first, 2) : 0 };
}

function coreMove(hw1: number, hw2: number): Decoded | null {
  const opcode = (hw1 >> 5) & 7;
  const toCore = (hw1 & 0x10) !== 0;
  const isDouble = (hw2 & 0x0100) !== 0;
  // FPSCR is the only system register of the unit on this profile.
  if (opcode === 7) return !isDouble && (hw1 & 0xf) === 1 ? { timing: 'fpStatus' } : null;
  const first = registerOf(hw1 & 0xf, (hw2 >> 7) & 1, isDouble);
  if (first === null || opcode > (isDouble ? 1 : 0) || (isDouble && (hw2 & 0x60) !== 0)) return null; // halves of doubles only in words
  return { timing: 'fpMove', fpReads: toCore ? run(first + opcode, 1) : 0 };
}

const DOUBLE_CLASSES: Readonly<Partial<Record<TimingClass, TimingClass>>> = {
  fpMove: 'fpDoubleMove',
  fpArithmetic: 'fpDoubleArithmetic',
  fpMultiplyAccumulate: 'fpDoubleMultiplyAccumulate',
  fpDivide: 'fpDoubleDivide',
  fpSquareRoot: 'fpDoubleSquareRoot',
};

function classOf(name: FpuName): TimingClass {
  switch (name) {
    case 'VMLA':
    case 'VMLS':
    case 'VNMLA':
    case 'VNMLS':
    case 'VFMA':
    case 'VFMS':
    case 'VFNMA':
    case 'VFNMS':
      return 'fpMultiplyAccumulate';
    case 'VDIV':
      return 'fpDivide';
    case 'VSQRT':
      return 'fpSquareRoot';
    case 'VMOV immediate':
    case 'VMOV':
    case 'VSEL':
      return 'fpMove';
    default:
      return 'fpArithmetic';
  }
}

/** What arithmetic reads: of a multiply-accumulate not the addend, which is needed late. */
function readsOf({ name, d, n, m, dWords, mWords }: FpuOperation): number {
  const readsDestination = name === 'VCMP' || name === 'VCMP zero' || name.endsWith('fixed');
  return (run(m, mWords) | run(n, mWords) | (readsDestination ? run(d, dWords) : 0)) >>> 0;
}

function operation(hw1: number, hw2: number, core: CoreWithFpu): Decoded | null {
  const found = fpuOperation(hw1, hw2, core.fpu);
  if (found === null) return null;
  const { name, double, d, dWords } = found;
  const single = classOf(name);
  const timing = double ? (DOUBLE_CLASSES[single] ?? single) : single;
  if (single === 'fpMove') return { timing, fpReads: readsOf(found) };
  // The flags are a comparison's result.
  const fpArithmeticWrites = name.startsWith('VCMP') ? 0 : run(d, dWords);
  return { timing, fpReads: readsOf(found), fpArithmeticWrites };
}

/** LDC, STC, MCR, CDP and the like (DDI 0403E A5.3.18). */
export function isCoprocessorEncoding(hw1: number): boolean {
  return (hw1 & 0xec00) === 0xec00 && (hw1 & 0x0300) !== 0x0300;
}

/** Of those, whether the FPU is the coprocessor: numbers 10 and 11. */
export function isFpuEncoding(hw2: number): boolean {
  return (hw2 & 0x0e00) === 0x0a00;
}

/** Coprocessor encodings of the FPU. */
export function decodeFpu(hw1: number, hw2: number, core: CoreWithFpu): Decoded | null {
  if ((hw1 & 0x0200) !== 0 && (hw2 & 0x10) === 0) return operation(hw1, hw2, core);
  if (hw1 >= 0xf000) return null;
  if ((hw1 & 0x0200) !== 0) return coreMove(hw1, hw2);
  return (hw1 & 0x01e0) === 0x0040 ? corePair(hw1, hw2) : transfer(hw1, hw2);
}
