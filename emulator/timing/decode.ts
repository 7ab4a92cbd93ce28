/** Decodes straight runs of Thumb-2 code for timing, carrying the IT state along (DDI 0403E A7.3.3). */
import { decode16 } from './decode-16.ts';
import { decode32 } from './decode-32.ts';
import type { Core } from '../cores/core.ts';
import { isMainline, isV8 } from '../cores/core-facts.ts';
import { decodeFpu, isCoprocessorEncoding, isFpuEncoding } from './decode-fpu.ts';
import { decodeV8Narrow, decodeV8Wide } from './decode-v8.ts';
import { hasEncoding } from './instruction-set.ts';
import type { Decoded, Instruction } from './instruction.ts';
import { writtenRegisters } from './written-registers.ts';

/** Reads the halfword at an address, or null where no memory is. */
export type ReadHalfword = (address: number) => number | null;

/** Bytes of the instruction that begins with this halfword. */
export function instructionSize(hw1: number): 2 | 4 {
  return hw1 >= 0xe800 ? 4 : 2;
}

/** IT state after an instruction: the low five bits shift, and the block ends when no condition is left. */
export function advanceItState(itState: number): number {
  return (itState & 7) === 0 ? 0 : (itState & 0xe0) | ((itState << 1) & 0x1f);
}

/**
 * The instruction at `address` under the IT state before it, or null if memory ends there.
 * Encodings that the core does not have decode to the timing class 'undefined'.
 */
export function decodeInstruction(
  read: ReadHalfword,
  address: number,
  itState: number,
  core: Core,
): Instruction | null {
  const hw1 = read(address);
  if (hw1 === null) return null;
  const size = instructionSize(hw1);
  const hw2 = size === 4 ? read((address + 2) >>> 0) : 0;
  if (hw2 === null) return null;
  const decoded = decodeHalfwords(hw1, hw2, size, address, core) ?? { timing: 'undefined' as const };
  const condition = (itState & 0xf) !== 0 ? itState >> 4 : null;
  const mayBeSkipped = condition !== null && condition < 14;
  const encoding = size === 4 ? ((hw1 << 16) | hw2) >>> 0 : hw1;
  return {
    address,
    size,
    encoding,
    timing: decoded.timing,
    words: decoded.words ?? 0,
    branch: decoded.branch === 'always' && mayBeSkipped ? 'conditional' : (decoded.branch ?? 'none'),
    target: decoded.target ?? null,
    condition,
    loadedRegisters: decoded.loadedRegisters ?? 0,
    writtenRegisters: writtenRegisters(encoding, size),
    addressRegisters: decoded.addressRegisters ?? 0,
    fpReads: decoded.fpReads ?? 0,
    fpArithmeticWrites: decoded.fpArithmeticWrites ?? 0,
    divide: core.timing === null ? null : (decoded.divide ?? null),
    itState: decoded.itState ?? 0,
  };
}

function decodeHalfwords(hw1: number, hw2: number, size: 2 | 4, address: number, core: Core): Decoded | null {
  if (isV8(core)) {
    const added = size === 2 ? decodeV8Narrow(hw1) : decodeV8Wide(hw1, hw2);
    if (added !== null) return added;
  }
  if (size === 4 && isMainline(core) && isCoprocessorEncoding(hw1)) {
    if (core.fpu === 'none' || !isFpuEncoding(hw2)) return { timing: 'coprocessorAbsent' };
    return decodeFpu(hw1, hw2, core) ?? { timing: 'fpUndefined' };
  }
  if (!hasEncoding(core, hw1, hw2, size)) return null;
  return size === 2 ? decode16(hw1, address) : decode32(hw1, hw2, address);
}

/** IT state before the instruction that follows `instruction` in memory. */
export function itStateAfter(instruction: Instruction, itStateBefore: number): number {
  return instruction.timing === 'ifThen' ? instruction.itState : advanceItState(itStateBefore);
}
