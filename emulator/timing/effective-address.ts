/**
 * Where a memory instruction would access under given register values (DDI 0403E A7.7). libunicorn does not say which instruction of
 * a block made a device access or a faulting one; the registers at that moment and the address do.
 */
import type { Instruction } from './instruction.ts';

export interface AccessRange {
  readonly start: number;
  readonly bytes: number;
}

export type ReadRegister = (register: number) => number;

/** The bytes an instruction reads or writes, or null if it accesses no memory. */
export function accessRange(instruction: Instruction, register: ReadRegister): AccessRange | null {
  const core: ReadRegister = (number) => (number === 15 ? ((instruction.address + 4) & ~3) >>> 0 : register(number));
  return instruction.size === 2 ? narrow(instruction, core) : wide(instruction, core);
}

function at(start: number, bytes: number): AccessRange {
  return { start: start >>> 0, bytes };
}

/** Bytes moved by the eight 16-bit register-offset forms: STR STRH STRB LDRSB LDR LDRH LDRB LDRSH. */
const registerOffsetBytes = [4, 2, 1, 1, 4, 2, 1, 2];

function narrow({ encoding: hw, words, timing }: Instruction, core: ReadRegister): AccessRange | null {
  const base = core((hw >> 3) & 7);
  const imm5 = (hw >> 6) & 0x1f;
  switch (hw >> 12) {
    case 0x4:
      return timing === 'load' ? at(core(15) + (hw & 0xff) * 4, 4) : null;
    case 0x5:
      return at(base + core((hw >> 6) & 7), registerOffsetBytes[(hw >> 9) & 7] ?? 4);
    case 0x6:
      return at(base + imm5 * 4, 4);
    case 0x7:
      return at(base + imm5, 1);
    case 0x8:
      return at(base + imm5 * 2, 2);
    case 0x9:
      return at(core(13) + (hw & 0xff) * 4, 4);
    case 0xb:
      if (timing === 'storeMultiple') return at(core(13) - words * 4, words * 4);
      return timing === 'loadMultiple' || timing === 'loadMultiplePc' ? at(core(13), words * 4) : null;
    case 0xc:
      return at(core((hw >> 8) & 7), words * 4);
    default:
      return null;
  }
}

function wide(instruction: Instruction, core: ReadRegister): AccessRange | null {
  const hw1 = instruction.encoding >>> 16;
  const hw2 = instruction.encoding & 0xffff;
  const base = core(hw1 & 0xf);
  const bytes = instruction.words * 4;
  switch (instruction.timing) {
    case 'loadMultiple':
    case 'loadMultiplePc':
    case 'storeMultiple':
    case 'fpLoadMultiple':
    case 'fpStoreMultiple':
      return at((hw1 & 0x0100) !== 0 ? base - bytes : base, bytes);
    case 'loadDual':
    case 'storeDual':
    case 'fpLoad':
    case 'fpStore':
      return at((hw1 & 0x0100) !== 0 ? base + signed(hw1, hw2 & 0xff) * 4 : base, bytes);
    case 'exclusive':
      return (hw1 & 0x80) === 0 ? at(base + (hw2 & 0xff) * 4, 4) : at(base, ((hw2 >> 4) & 1) + 1);
    case 'tableBranch':
      return (hw2 & 0x10) !== 0 ? at(base + core(hw2 & 0xf) * 2, 2) : at(base + core(hw2 & 0xf), 1);
    case 'load':
    case 'loadPc':
    case 'storeImmediate':
    case 'storeRegister':
      return single(hw1, hw2, base, core);
    default:
      return null;
  }
}

/** Bit U of the first halfword says whether the offset is added. */
function signed(hw1: number, offset: number): number {
  return (hw1 & 0x80) !== 0 ? offset : -offset;
}

function single(hw1: number, hw2: number, base: number, core: ReadRegister): AccessRange {
  const bytes = 1 << ((hw1 >> 5) & 3);
  if ((hw1 & 0xf) === 15) return at(base + signed(hw1, hw2 & 0xfff), bytes);
  if ((hw1 & 0x80) !== 0) return at(base + (hw2 & 0xfff), bytes);
  if ((hw2 & 0x0800) === 0) return at(base + (core(hw2 & 0xf) << ((hw2 >> 4) & 3)), bytes);
  const offset = (hw2 & 0x0200) !== 0 ? hw2 & 0xff : -(hw2 & 0xff);
  return at((hw2 & 0x0400) !== 0 ? base + offset : base, bytes);
}
