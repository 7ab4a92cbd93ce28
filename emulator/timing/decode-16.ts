/** 16-bit Thumb encodings to timing classes (DDI 0403E A5.2). Every one of the 59392 is decided here; null means undefined. */
import { countBits, signExtend, type Decoded } from './instruction.ts';

const PC = 1 << 15;
const SP = 1 << 13;

function dataOrSpecial(hw: number): Decoded | null {
  if ((hw & 0xfc00) === 0x4000) return { timing: (hw & 0xffc0) === 0x4340 ? 'multiply' : 'alu' };
  const destination = (hw & 7) | ((hw >> 4) & 8);
  switch ((hw >> 8) & 3) {
    case 0: // ADD
    case 2: // MOV
      return destination === 15 ? { timing: 'aluPc', branch: 'always' } : { timing: 'alu' };
    case 1: // CMP
      return { timing: 'alu' };
    default: // BX, BLX
      return (hw & 7) === 0 ? { timing: 'branchIndirect', branch: 'always' } : null;
  }
}

function loadStore(hw: number): Decoded {
  const rt = 1 << (hw & 7);
  const base = 1 << ((hw >> 3) & 7);
  if (hw >> 12 === 5) {
    const addressRegisters = base | (1 << ((hw >> 6) & 7));
    const isLoad = ((hw >> 9) & 7) >= 3;
    return isLoad
      ? { timing: 'load', loadedRegisters: rt, addressRegisters }
      : { timing: 'storeRegister', addressRegisters };
  }
  const stackRelative = hw >> 12 === 9;
  const addressRegisters = stackRelative ? SP : base;
  const loadedRegisters = stackRelative ? 1 << ((hw >> 8) & 7) : rt;
  return (hw & 0x0800) !== 0
    ? { timing: 'load', loadedRegisters, addressRegisters }
    : { timing: 'storeImmediate', addressRegisters };
}

/** NOP, YIELD, WFE, WFI, SEV; the rest are reserved and execute as NOP. */
export function hint(number: number): Decoded {
  switch (number) {
    case 1:
      return { timing: 'yieldHint' };
    case 2:
      return { timing: 'waitForEvent' };
    case 3:
      return { timing: 'waitForInterrupt' };
    case 4:
      return { timing: 'sendEvent' };
    default:
      return { timing: 'hint' };
  }
}

function ifThenOrHint(hw: number): Decoded | null {
  if ((hw & 0xf) !== 0) return { timing: 'ifThen', itState: hw & 0xff };
  return hint((hw >> 4) & 0xf);
}

function compareBranch(hw: number, address: number): Decoded {
  const offset = ((hw >> 3) & 0x1f) * 2 + ((hw >> 9) & 1) * 64;
  return { timing: 'compareBranch', branch: 'conditional', target: (address + 4 + offset) >>> 0 };
}

function miscellaneous(hw: number, address: number): Decoded | null {
  switch ((hw >> 8) & 0xf) {
    case 0x0: // ADD, SUB SP
    case 0x2: // SXTH, SXTB, UXTH, UXTB
      return { timing: 'alu' };
    case 0x1:
    case 0x3:
    case 0x9:
    case 0xb:
      return compareBranch(hw, address);
    case 0x4:
    case 0x5:
      return { timing: 'storeMultiple', words: countBits(hw & 0x1ff), addressRegisters: SP };
    case 0x6: // CPSIE, CPSID
      return (hw & 0xffec) === 0xb660 ? { timing: 'changeState' } : null;
    case 0xa: // REV, REV16, REVSH
      return (hw & 0xc0) !== 0x80 ? { timing: 'alu' } : null;
    case 0xc:
      return { timing: 'loadMultiple', words: countBits(hw & 0xff), addressRegisters: SP };
    case 0xd:
      return { timing: 'loadMultiplePc', words: countBits(hw & 0x1ff), addressRegisters: SP, branch: 'always' };
    case 0xe:
      return { timing: 'breakpoint' };
    case 0xf:
      return ifThenOrHint(hw);
    default:
      return null;
  }
}

function conditionalBranch(hw: number, address: number): Decoded {
  const condition = (hw >> 8) & 0xf;
  if (condition === 14) return { timing: 'undefined' };
  if (condition === 15) return { timing: 'supervisorCall' };
  return {
    timing: 'branchConditional',
    branch: 'conditional',
    target: (address + 4 + signExtend(hw & 0xff, 8) * 2) >>> 0,
  };
}

/** `hw` below 0xe800. */
export function decode16(hw: number, address: number): Decoded | null {
  switch (hw >> 12) {
    case 0x0:
    case 0x1:
    case 0x2:
    case 0x3:
    case 0xa: // ADR, ADD Rd, SP
      return { timing: 'alu' };
    case 0x4:
      if (hw < 0x4800) return dataOrSpecial(hw);
      return { timing: 'load', loadedRegisters: 1 << ((hw >> 8) & 7), addressRegisters: PC };
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
      return loadStore(hw);
    case 0xb:
      return miscellaneous(hw, address);
    case 0xc:
      return {
        timing: (hw & 0x0800) !== 0 ? 'loadMultiple' : 'storeMultiple',
        words: countBits(hw & 0xff),
        addressRegisters: 1 << ((hw >> 8) & 7),
      };
    case 0xd:
      return conditionalBranch(hw, address);
    default:
      return { timing: 'branch', branch: 'always', target: (address + 4 + signExtend(hw & 0x7ff, 11) * 2) >>> 0 };
  }
}
