/** FPv4-SP-D16 encodings to timing classes (DDI 0403E A6). Double-precision arithmetic does not exist on this core: null. */
import type { Decoded } from './instruction.ts';

/** Register number of a single-precision operand: four bits and an extension bit below them. */
const single = (field: number, extension: number): number => (field << 1) | extension;
const bit = (register: number): number => (1 << register) >>> 0;

interface Operands {
  readonly d: number;
  readonly n: number;
  readonly m: number;
}

function operands(hw1: number, hw2: number): Operands {
  return {
    d: single(hw2 >> 12, (hw1 >> 6) & 1),
    n: single(hw1 & 0xf, (hw2 >> 7) & 1),
    m: single(hw2 & 0xf, (hw2 >> 5) & 1),
  };
}

/** A run of `count` single registers from `first`. */
function run(first: number, count: number): number {
  let mask = 0;
  for (let i = 0; i < count && first + i < 32; i++) mask |= 1 << (first + i);
  return mask >>> 0;
}

function transfer(hw1: number, hw2: number): Decoded | null {
  const isDouble = (hw2 & 0x0100) !== 0;
  const isLoad = (hw1 & 0x10) !== 0;
  const p = (hw1 >> 8) & 1;
  const u = (hw1 >> 7) & 1;
  const w = (hw1 >> 5) & 1;
  const addressRegisters = 1 << (hw1 & 0xf);
  const { d } = operands(hw1, hw2);
  // A double register is two singles: Dn = S2n, S2n+1.
  const first = isDouble ? (hw2 >> 12) * 2 : d;
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
  const first = (hw2 & 0x0100) !== 0 ? (hw2 & 0xf) * 2 : operands(hw1, hw2).m;
  return { timing: 'fpMovePair', fpReads: (hw1 & 0x10) !== 0 ? run(first, 2) : 0 };
}

function coreMove(hw1: number, hw2: number): Decoded | null {
  const opcode = (hw1 >> 5) & 7;
  const toCore = (hw1 & 0x10) !== 0;
  const { n } = operands(hw1, hw2);
  if (opcode === 7) return (hw2 & 0x0100) === 0 ? { timing: 'fpStatus' } : null;
  if ((hw2 & 0x0100) === 0) return opcode === 0 ? { timing: 'fpMove', fpReads: toCore ? bit(n) : 0 } : null;
  if (opcode > 1 || (hw2 & 0x60) !== 0) return null; // VMOV of half a double register only in words
  return { timing: 'fpMove', fpReads: toCore ? bit((hw1 & 0xf) * 2 + opcode) : 0 };
}

/** VMOV, VABS, VNEG, VSQRT, VCMP, VCVT: opcode 1x11, told apart by bits 19:16 and 7:6. */
function extensionOperation(hw1: number, hw2: number): Decoded | null {
  const { d, m } = operands(hw1, hw2);
  const operation = hw1 & 0xf;
  if ((hw2 & 0x40) === 0) return { timing: 'fpMove' }; // immediate
  const arithmetic: Decoded = { timing: 'fpArithmetic', fpReads: bit(m), fpArithmeticWrites: bit(d) };
  switch (operation) {
    case 0: // VMOV register, VABS
      return (hw2 & 0x80) === 0 ? { timing: 'fpMove', fpReads: bit(m) } : arithmetic;
    case 1: // VNEG, VSQRT
      return (hw2 & 0x80) === 0 ? arithmetic : { ...arithmetic, timing: 'fpSquareRoot' };
    case 2:
    case 3: // VCVTB, VCVTT
    case 8: // VCVT from integer
    case 12:
    case 13: // VCVT, VCVTR to integer
      return arithmetic;
    case 4:
    case 5: // VCMP: the flags are its result
      return { timing: 'fpArithmetic', fpReads: operation === 4 ? (bit(d) | bit(m)) >>> 0 : bit(d) };
    case 10:
    case 11:
    case 14:
    case 15: // VCVT with fixed point works on Sd alone
      return { ...arithmetic, fpReads: bit(d) };
    default:
      return null;
  }
}

function arithmetic(hw1: number, hw2: number): Decoded | null {
  if ((hw2 & 0x0100) !== 0) return null; // double precision
  const opcode = ((hw1 >> 5) & 4) | ((hw1 >> 4) & 3);
  if (opcode === 7) return extensionOperation(hw1, hw2);
  const { d, n, m } = operands(hw1, hw2);
  const reads = { fpReads: (bit(n) | bit(m)) >>> 0, fpArithmeticWrites: bit(d) };
  switch (opcode) {
    case 0: // VMLA, VMLS
    case 1: // VNMLA, VNMLS
    case 5: // VFNMA, VFNMS
    case 6: // VFMA, VFMS
      return { timing: 'fpMultiplyAccumulate', ...reads };
    case 2: // VMUL, VNMUL
    case 3: // VADD, VSUB
      return { timing: 'fpArithmetic', ...reads };
    default: // VDIV
      return (hw2 & 0x40) === 0 ? { timing: 'fpDivide', ...reads } : null;
  }
}

export function isFpuEncoding(hw1: number, hw2: number): boolean {
  return (hw1 & 0xec00) === 0xec00 && (hw1 & 0x0300) !== 0x0300 && (hw2 & 0x0e00) === 0x0a00;
}

/** Encodings for which isFpuEncoding holds. */
export function decodeFpu(hw1: number, hw2: number): Decoded | null {
  if (hw1 >= 0xf000) return null; // the unconditional space came with Armv8
  if ((hw1 & 0x0200) === 0) return (hw1 & 0x01e0) === 0x0040 ? corePair(hw1, hw2) : transfer(hw1, hw2);
  return (hw2 & 0x10) !== 0 ? coreMove(hw1, hw2) : arithmetic(hw1, hw2);
}
