/** 32-bit Thumb encodings of ARMv7E-M without the FPU to timing classes (DDI 0403E A5.3). null means undefined on this core. */
import { hint } from './decode-16.ts';
import { countBits, signExtend, type Decoded } from './instruction.ts';

function multipleTransfer(hw1: number, hw2: number): Decoded | null {
  const direction = (hw1 >> 7) & 3;
  if (direction === 0 || direction === 3) return null;
  const common = { words: countBits(hw2), addressRegisters: 1 << (hw1 & 0xf) };
  if ((hw1 & 0x10) === 0) return { timing: 'storeMultiple', ...common };
  return (hw2 & 0x8000) !== 0
    ? { timing: 'loadMultiplePc', ...common, branch: 'always' }
    : { timing: 'loadMultiple', ...common };
}

function dualExclusiveOrTable(hw1: number, hw2: number): Decoded | null {
  const addressRegisters = 1 << (hw1 & 0xf);
  const isLoad = (hw1 & 0x10) !== 0;
  const exclusive = (): Decoded => ({
    timing: 'exclusive',
    addressRegisters,
    loadedRegisters: isLoad ? 1 << (hw2 >> 12) : 1 << (hw2 & 0xf),
  });
  if ((hw1 & 0x0120) !== 0) return { timing: isLoad ? 'loadDual' : 'storeDual', words: 2, addressRegisters };
  if ((hw1 & 0x0080) === 0) {
    if (isLoad) return exclusive();
    // STREX of the pc is UNPREDICTABLE, and TT of Armv8-M.
    return hw2 >> 12 === 15 ? null : { ...exclusive(), loadedRegisters: 1 << ((hw2 >> 8) & 0xf) };
  }
  const operation = (hw2 >> 4) & 0xf;
  if (operation === 4 || operation === 5) return exclusive();
  return isLoad && operation <= 1 ? { timing: 'tableBranch', branch: 'always' } : null;
}

/** Opcodes 5, 7, 9, 12 and 15 of the data-processing groups do not exist; 6 is PKH and only in the register form. */
function isDataProcessing(opcode: number, registerForm: boolean): boolean {
  if (opcode === 6) return registerForm;
  return opcode !== 5 && opcode !== 7 && opcode !== 9 && opcode !== 12 && opcode !== 15;
}

/** ADDW, MOVW, SUBW, MOVT, SSAT, SBFX, BFI, USAT, UBFX by bits 8:4. */
const plainImmediate = new Set([0, 4, 10, 12, 16, 18, 20, 22, 24, 26, 28]);

function immediate(hw1: number): Decoded | null {
  const exists =
    (hw1 & 0x0200) !== 0 ? plainImmediate.has((hw1 >> 4) & 0x1f) : isDataProcessing((hw1 >> 5) & 0xf, false);
  return exists ? { timing: 'alu' } : null;
}

function control(hw1: number, hw2: number): Decoded | null {
  switch ((hw1 >> 4) & 0x7f) {
    case 0x38:
    case 0x39: // MSR
    case 0x3e:
    case 0x3f: // MRS
      return { timing: 'specialRegister' };
    case 0x3a: // hints
      return (hw2 & 0x0700) === 0 ? hint(hw2 & 0xff) : null;
    case 0x3b:
      switch ((hw2 >> 4) & 0xf) {
        case 2:
          return { timing: 'clearExclusive' };
        case 4:
        case 5:
          return { timing: 'dataBarrier' };
        case 6:
          return { timing: 'instructionBarrier' };
        default:
          return null;
      }
    default:
      return null;
  }
}

function branchOrControl(hw1: number, hw2: number, address: number): Decoded | null {
  const sign = (hw1 >> 10) & 1;
  const j1 = (hw2 >> 13) & 1;
  const j2 = (hw2 >> 11) & 1;
  const link = (hw2 & 0x4000) !== 0;
  if ((hw2 & 0x1000) !== 0) {
    const high =
      (sign << 23) | ((1 ^ j1 ^ sign) << 22) | ((1 ^ j2 ^ sign) << 21) | ((hw1 & 0x3ff) << 11) | (hw2 & 0x7ff);
    const target = (address + 4 + signExtend(high, 24) * 2) >>> 0;
    return { timing: link ? 'branchLink' : 'branch', branch: 'always', target };
  }
  if (link) return null; // BLX immediate: no Arm state on this core
  if ((hw1 & 0x0380) === 0x0380) return control(hw1, hw2);
  const offset = (sign << 19) | (j2 << 18) | (j1 << 17) | ((hw1 & 0x3f) << 11) | (hw2 & 0x7ff);
  return {
    timing: 'branchConditional',
    branch: 'conditional',
    target: (address + 4 + signExtend(offset, 20) * 2) >>> 0,
  };
}

function singleTransfer(hw1: number, hw2: number): Decoded | null {
  const size = (hw1 >> 5) & 3;
  const signed = (hw1 & 0x0100) !== 0;
  const isLoad = (hw1 & 0x10) !== 0;
  if (size === 3 || (signed && (size === 2 || !isLoad))) return null;
  const base = 1 << (hw1 & 0xf);
  const literal = isLoad && (hw1 & 0xf) === 15;
  const immediateForm = literal || (hw1 & 0x80) !== 0 || (hw2 & 0x0800) !== 0;
  if (!immediateForm && (hw2 & 0x0fc0) !== 0) return null;
  if (!literal && (hw1 & 0x80) === 0 && (hw2 & 0x0d00) === 0x0800) return null; // P and W both 0
  const addressRegisters = immediateForm ? base : base | (1 << (hw2 & 0xf));
  if (!isLoad) {
    if ((hw1 & 0xf) === 15) return null;
    return { timing: immediateForm ? 'storeImmediate' : 'storeRegister', addressRegisters };
  }
  const rt = hw2 >> 12;
  if (rt !== 15) return { timing: 'load', loadedRegisters: 1 << rt, addressRegisters };
  return size === 2 ? { timing: 'loadPc', addressRegisters, branch: 'always' } : { timing: 'memoryHint' };
}

function registerOperation(hw1: number, hw2: number): Decoded | null {
  if (hw2 >> 12 !== 15) return null;
  const op1 = (hw1 >> 4) & 0xf;
  const op2 = (hw2 >> 4) & 0xf;
  const alu: Decoded = { timing: 'alu' };
  if (op1 < 8) {
    if (op2 === 0) return alu;
    return op2 >= 8 && op1 < 6 ? alu : null; // extend, extend and add
  }
  if (op2 < 8) {
    const parallel = op1 === 8 || op1 === 9 || op1 === 10 || op1 === 12 || op1 === 13 || op1 === 14;
    return parallel && (op2 & 3) !== 3 ? alu : null;
  }
  if (op2 >= 12) return null;
  if (op1 === 8 || op1 === 9) return alu; // QADD family; REV family
  return (op1 === 10 || op1 === 11) && op2 === 8 ? alu : null; // SEL; CLZ
}

/** Greatest bits 7:4 of the second halfword for each of the eight short multiplies (MLA/MLS, SMLAxy, SMLAD, SMLAWy, ...). */
const shortMultiplyVariants = [1, 3, 1, 1, 1, 1, 1, 0];

function multiply(hw1: number, hw2: number): Decoded | null {
  const op1 = (hw1 >> 4) & 7;
  const op2 = (hw2 >> 4) & 0xf;
  if ((hw1 & 0x80) === 0) {
    if (op2 > (shortMultiplyVariants[op1] ?? -1)) return null;
    // Without an addend its register field is 15.
    return { timing: hw2 >> 12 === 15 ? 'multiply' : 'multiplyAccumulate' };
  }
  const accumulate: Decoded = { timing: 'multiplyLongAccumulate' };
  switch (op1) {
    case 1:
    case 3:
      if (op2 !== 15) return null;
      return { timing: 'divide', divide: { signed: op1 === 1, n: hw1 & 0xf, m: hw2 & 0xf } };
    case 0:
    case 2:
      return op2 === 0 ? { timing: 'multiplyLong' } : null;
    case 4:
      return op2 === 0 || (op2 >= 8 && op2 <= 13) ? accumulate : null;
    case 5:
      return op2 === 12 || op2 === 13 ? accumulate : null;
    case 6:
      return op2 === 0 || op2 === 6 ? accumulate : null;
    default:
      return null;
  }
}

/** `hw1` from 0xe800, FPU encodings excluded. */
export function decode32(hw1: number, hw2: number, address: number): Decoded | null {
  if ((hw1 & 0xfe40) === 0xe800) return multipleTransfer(hw1, hw2);
  if ((hw1 & 0xfe40) === 0xe840) return dualExclusiveOrTable(hw1, hw2);
  if ((hw1 & 0xfe00) === 0xea00) return isDataProcessing((hw1 >> 5) & 0xf, true) ? { timing: 'alu' } : null;
  if ((hw1 & 0xf800) === 0xf000) return (hw2 & 0x8000) === 0 ? immediate(hw1) : branchOrControl(hw1, hw2, address);
  if ((hw1 & 0xfe00) === 0xf800) return singleTransfer(hw1, hw2);
  if ((hw1 & 0xff00) === 0xfa00) return registerOperation(hw1, hw2);
  if ((hw1 & 0xff00) === 0xfb00) return multiply(hw1, hw2);
  return null;
}
